"""Files and folders that appear whole or not at all, and are read within a bound.

Folders may have been filled by others: only what is plain is opened there.
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from results.errors import BlockpointError
from results.text import named

REPLACED_MEANWHILE: Final = 100
"""tries to put a folder in the place of one that other processes replace, too"""


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


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing, even after a crash.

    Raises BlockpointError where it cannot be written (a full disk): what was there before stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BlockpointError(f"{named(path)}: cannot be written ({error.strerror})") from None


@contextlib.contextmanager
def whole_folder(target: Path, *, replacing: bool = True) -> Iterator[Path]:
    """Give an empty folder that becomes `target` once the block has ended well, and else is gone.

    It takes an older one's place only where that is wanted. Raises OSError.
    """
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield made
        made.chmod(0o755)
        _move(made, target, replacing=replacing)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, target: Path, *, replacing: bool) -> None:
    """Rename a folder; where several processes replace one at a time, the last of them wins."""
    aside = made.with_name(f"{made.name}-old")
    for left in reversed(range(REPLACED_MEANWHILE if replacing else 1)):
        try:
            if replacing and target.is_dir():
                with contextlib.suppress(FileNotFoundError):
                    target.rename(aside)
            made.rename(target)
        except OSError as error:
            if not left or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def sync(path: Path) -> None:
    """Have what is written at a path reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
