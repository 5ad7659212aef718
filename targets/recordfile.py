"""Fixed-size records in a file that is the process's own, mapped into its memory."""

import errno
import itertools
import mmap
import os
import struct
import sys
import threading
from pathlib import Path

CHUNK_BYTES = 2**20


class RecordFile:
    """A file of records that a killed process leaves whole, without a `write` for each.

    The file grows by chunks of zeros and is mapped, so that a record is a store into the page cache: it
    survives the process. Readers skip what is still zero. The file is opened at the first record, hence
    after a fork, and once per process.
    """

    def __init__(self, folder: Path | None, prefix: str, layout: struct.Struct) -> None:
        self._folder = folder
        self._prefix = prefix
        self._pack_into = layout.pack_into
        self._size = layout.size
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def append(self, *values: int) -> None:
        """Append one record; a full disk is reported once and ends the recording."""
        offset = next(self._offsets)
        if offset + self._size > self._end and not self._grow(offset):
            return
        self._pack_into(self._mapped, offset, *values)

    def _reset(self) -> None:
        self._growing = threading.Lock()
        self._descriptor = -1
        self._end = 0
        self._offsets = itertools.count(0, self._size)
        self._mapped: mmap.mmap

    def _grow(self, offset: int) -> bool:
        """Make room for the record at `offset`; returns whether there is any."""
        with self._growing:
            if self._folder is None:
                return False
            try:
                while offset + self._size > self._end:
                    self._add_chunk(self._folder)
            except OSError as error:
                self._folder = None
                print(f"blockpoint: {self._prefix} stopped: {error.strerror}", file=sys.stderr, flush=True)
                return False
            return True

    def _add_chunk(self, folder: Path) -> None:
        if self._descriptor < 0:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{self._prefix}-{os.getpid()}.bin"
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # real zeros rather than a hole: a full disk must be an error here, not a signal at the first store
        written = os.pwrite(self._descriptor, bytes(CHUNK_BYTES), self._end)
        if written < CHUNK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._mapped = mmap.mmap(self._descriptor, self._end + CHUNK_BYTES)
        self._end += CHUNK_BYTES
