"""Fixed-size records appended to a file that is the process's own."""

import os
import sys
from pathlib import Path


class AppendFile:
    """A file that grows by one `write` a record, so that a killed process loses nothing it wrote.

    It is opened at the first record, hence after a fork, and once per process.
    """

    def __init__(self, folder: Path | None, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._descriptor = -1
        os.register_at_fork(after_in_child=self.close)

    @property
    def enabled(self) -> bool:
        """Whether records go anywhere."""
        return self._folder is not None

    def append(self, record: bytes) -> None:
        """Append one record; a full disk is reported once and ends the recording."""
        try:
            if self._descriptor < 0:
                if self._folder is None:
                    return
                self._descriptor = self._open(self._folder)
            os.write(self._descriptor, record)
        except OSError as error:
            self._folder = None
            self.close()
            print(f"blockpoint: {self._prefix} stopped: {error.strerror}", file=sys.stderr, flush=True)

    def _open(self, folder: Path) -> int:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._prefix}-{os.getpid()}.bin"
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Close the file; the next record would open this process's own."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
