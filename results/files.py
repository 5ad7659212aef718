"""Files of folders that others may have filled: opened only where they are plain, and read within a bound."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading; a pipe or a device is an OSError at once, and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a regular file; one that is longer than allowed is an OSError."""
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size <= most_bytes:
            found = file.read(most_bytes + 1)
            if len(found) <= most_bytes:
                return found
    raise OSError(0, f"longer than {most_bytes} bytes")
