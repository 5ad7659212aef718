"""Locks that go with the process that holds them, however it ends."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from results.errors import BlockpointError
from results.text import named, single

_MOST_BYTES = 4096


class HeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note
        """what its holder wrote into it"""


@contextlib.contextmanager
def held(path: Path, note: str) -> Iterator[None]:
    """Hold the lock of that path, with a note in it for those who find it held.

    Raises HeldError where another process holds it, OSError where there cannot be one.
    """
    descriptor = _lock(path, fcntl.LOCK_EX)
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(errors="replace")[:_MOST_BYTES], 0)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def holders_note(path: Path) -> str | None:
    """Return what the holder of a lock wrote into it; None where nobody holds it, and then it goes."""
    try:
        descriptor = _lock(path, fcntl.LOCK_SH)
    except HeldError as error:
        return error.note
    except FileNotFoundError:
        return None
    with contextlib.suppress(OSError):
        path.unlink()
    os.close(descriptor)
    return None


def _lock(path: Path, how: int) -> int:
    """Return the descriptor of the locked file that has that path now: it goes with the one who held it."""
    create = os.O_CREAT if how == fcntl.LOCK_EX else 0
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | create
    while True:
        descriptor = os.open(path, flags, 0o644)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                raise OSError(0, f"{path.name} is not a file of its own")
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            except BlockingIOError:
                note = os.pread(descriptor, _MOST_BYTES, 0).decode(errors="replace")
                raise HeldError(single(note)) from None
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(found, path.lstat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


@contextlib.contextmanager
def sole_writer(campaign_folder: Path) -> Iterator[None]:
    """Be the one process that adds to a campaign; raises BlockpointError that names another that is."""
    shown = named(campaign_folder)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held(campaign_folder / ".lock", str(os.getpid())))
        except HeldError as error:
            who = f"process {error.note}" if error.note.isdecimal() else "another process"
            raise BlockpointError(
                f"{shown}: {who} is adding to this campaign; wait for its end, or stop it, before --resume"
            ) from None
        except OSError as error:
            raise BlockpointError(f"{shown}: cannot be locked ({error.strerror})") from None
        yield
