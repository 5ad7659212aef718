"""Other campaigns of the same user that measure on this machine, whichever folder they go to.

Each that measures holds a lock in a folder that is the user's alone, and is seen there by the others.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.trial.noise import reasons_for_company
from results.locks import HeldError, held, holders_note
from results.text import single
from results.waiting import wait_until

SHARED = Path("/tmp")
"""not `$TMPDIR`, which differs from one command to the next"""
LOOKED_AT_S = 1.0
"""a lock is held for a moment by whoever looks whether somebody holds it"""


@dataclass(frozen=True)
class Neighbours:
    """Who else measures."""

    folder: Path | None = None
    """where they are seen; None where that cannot be told"""
    problem: str = ""
    """why it cannot"""

    def names(self) -> list[str]:
        """Return the campaigns that measure now, but for our own."""
        if self.folder is None:
            return []
        with contextlib.suppress(OSError):
            others = [path for path in self.folder.iterdir() if path.name != str(os.getpid())]
            return sorted(filter(None, map(holders_note, others)))
        return []

    def warnings(self, max_foreign_cores: float) -> Iterator[str]:
        """Yield what a person should know before a command measures."""
        if self.problem:
            yield f"whether another campaign measures on this machine cannot be told: {self.problem}"
        names = self.names()
        refused = reasons_for_company(names, max_foreign_cores)
        for name in names:
            but = f"; trials of both are refused meanwhile, unless --max-foreign-cores is {os.cpu_count()}"
            yield f"{name} is measuring on this machine, and both disturb each other{but if refused else ''}"


NOBODY = Neighbours()


@dataclass
class Company:
    """Who measured while a trial did."""

    neighbours: Neighbours
    _seen: set[str] = field(default_factory=set)

    def tick(self) -> None:
        """Look who measures."""
        self._seen.update(self.neighbours.names())

    def seen(self) -> list[str]:
        """Look once more; return all that were seen."""
        self.tick()
        return sorted(self._seen)


@contextlib.contextmanager
def measuring(campaign: str, shared: Path = SHARED) -> Iterator[Neighbours]:
    """Be seen by the others as long as the block lasts; gives those whom we see."""
    with contextlib.ExitStack() as cleanup:
        try:
            folder = _private(shared / f"blockpoint-{os.geteuid()}")
            _announce(cleanup, folder / str(os.getpid()), f"campaign {single(campaign)} (pid {os.getpid()})")
        except OSError as error:
            yield Neighbours(problem=f"{shared}/blockpoint-{os.geteuid()}: {error.strerror}")
        else:
            yield Neighbours(folder)


def _private(folder: Path) -> Path:
    """Return a folder that nobody else can write to; raises OSError where it is not ours alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise OSError(0, "is not a folder of ours alone")
    return folder


def _announce(cleanup: contextlib.ExitStack, path: Path, note: str) -> None:
    def announced() -> bool:
        with contextlib.suppress(HeldError):
            cleanup.enter_context(held(path, note))
            return True
        return False

    if not wait_until(announced, LOOKED_AT_S, every_s=0.001):
        raise OSError(0, "another process holds our own lock")
