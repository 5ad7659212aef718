"""Which living processes belong to a family, however they hide."""

import contextlib
import os
from dataclasses import dataclass

import psutil

from results.waiting import wait_until

MARKER = "BLOCKPOINT_FAMILY"
WAIT_S = 0.5


@dataclass(frozen=True)
class _Seen:
    """A living process as it was found."""

    process: psutil.Process
    parent: int
    session: int
    marked: bool


class Kin:
    """Finds a family's processes: those that carry its marker, and those that come from its children.

    A program that changes its title may overwrite its environment, and the marker with it. It still sits in
    the session of a child that we started, or descends from somebody found. A number that the system has
    given to another process since is nobody of ours.
    """

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._leaders: dict[int, psutil.Process | None] = {}
        """of sessions, by number; None for a child that was gone when we heard of it"""
        self._found: dict[int, psutil.Process] = {}

    def add(self, pid: int) -> None:
        """Take note of a child that was just started in a session of its own."""
        self._leaders[pid] = None
        with contextlib.suppress(psutil.NoSuchProcess):
            self._leaders[pid] = psutil.Process(pid)

    def drop(self, pid: int) -> None:
        """Forget a child that has ended."""
        self._leaders.pop(pid, None)

    def living(self) -> list[psutil.Process]:
        """Return those that live; once found, a process stays found when its parent is gone."""
        everyone = _everyone(self._marker)
        mine = {pid for pid, seen in everyone.items() if seen.marked or self._found.get(pid) == seen.process}
        sessions = {
            pid for pid, led in self._leaders.items() if pid not in everyone or everyone[pid].process == led
        }
        while more := {
            pid
            for pid, seen in everyone.items()
            if pid not in mine and (seen.session in sessions or mine & {seen.session, seen.parent})
        }:
            mine |= more
        self._found = {pid: everyone[pid].process for pid in mine}
        self._leaders |= {pid: led for pid, led in self._found.items() if everyone[pid].session == pid}
        return list(self._found.values())

    def kill(self, within_s: float = 5.0) -> None:
        """SIGKILL them until none is left.

        They are stopped first, so that none answers another's death: a PostgreSQL server whose child was
        killed begins anew, with shared memory that nobody would drop.
        """

        def gone() -> bool:
            left = self.living()
            for end in (psutil.Process.suspend, psutil.Process.kill):
                for process in left:
                    with contextlib.suppress(psutil.Error):
                        end(process)
            psutil.wait_procs(left, timeout=WAIT_S)
            return not left

        wait_until(gone, within_s, every_s=0)


def marked(marker: str) -> list[psutil.Process]:
    """Return the living processes that carry a family's marker."""
    return [seen.process for seen in _everyone(marker).values() if seen.marked]


def _everyone(marker: str) -> dict[int, _Seen]:
    """Return every living process but this one, by its number."""
    everyone = {}
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            with process.oneshot():
                if pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    everyone[pid] = _Seen(process, process.ppid(), os.getsid(pid), _carries(process, marker))
    return everyone


def _carries(process: psutil.Process, marker: str) -> bool:
    try:
        return process.environ().get(MARKER) == marker
    except (psutil.AccessDenied, OSError):  # another user's
        return False
