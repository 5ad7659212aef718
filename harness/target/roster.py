"""The processes of a target: who lives, and who has ended or stood still since the load began."""

import contextlib
from collections.abc import Iterable

import psutil

from harness.target.target import Target

DIED = "died"
DEAD = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def tree(pid: int) -> list[int]:
    """Return a process and all below it that live."""
    return [pid, *(process.pid for process in _family(pid)[1:] if _alive(process))]


def alive(pid: int) -> bool:
    """Say whether a process of that number lives."""
    try:
        return _alive(psutil.Process(pid))
    except psutil.Error:
        return False


def alive_pids(target: Target) -> frozenset[int]:
    """Return the processes of the target that live now, children and grandchildren among them."""
    return frozenset(pid for child in target.children() if child.running for pid in tree(child.pid))


def halted(pids: Iterable[int]) -> bool:
    """Say whether one of the processes has been stopped (SIGSTOP) and not been told to go on."""
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                return True
    return False


class Roster:
    """Who belonged to a target at one moment, and who of them was seen standing still since."""

    def __init__(self, target: Target) -> None:
        children = target.children()
        self._heads = [(child.role, child.pid) for child in children]
        self._members = [
            (child.role, each) for child in children for each in _family(child.pid) if _alive(each)
        ]
        self._stood_still: set[str] = set()

    def look(self) -> None:
        """Note who stands still of the few that we started ourselves: cheap enough for ten times a second."""
        self._stood_still |= {role for role, pid in self._heads if halted([pid])}

    def halted(self) -> set[str]:
        """Return the roles of which a process stands still now, or did at a look."""
        return {role for role, member in self._members if halted([member.pid])} | self._stood_still

    def deaths(self) -> list[str]:
        """Return why a trial since then does not count: who has ended, started again since or not."""
        dead: dict[str, list[int]] = {}
        for role, member in self._members:
            if not _alive(member):
                dead.setdefault(role, []).append(member.pid)
        return [
            f"{DIED}: of the {role}, {len(pids)} process{'es' * (len(pids) > 1)} ended while it was measured "
            f"(pid {', '.join(map(str, pids))})"
            for role, pids in dead.items()
        ]


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _alive(process: psutil.Process) -> bool:
    """Say whether this very process lives; another one of its number does not count."""
    try:
        return process.is_running() and process.status() not in DEAD
    except psutil.Error:
        return False
