"""What a drill did to its target and when, as it went."""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from harness.drills.catalogue import Drill
from harness.target.ledgers import LedgerReader
from harness.target.target import Target
from results.errors import BlockpointError
from results.terms import Look, Moment

RESTART_AFTER_S = 0.2
"""a supervisor's pause before it starts again what died"""
ANOTHER_AFTER_S = 10.0
"""a probe that has not run may have died with its worker, and be hidden for as long as that one's tasks"""


@dataclass
class FaultLog:
    """The log of one drill; times are those of the ledger's clock, 0 where one has not come."""

    started_at: str
    """UTC, ISO 8601"""
    since_ns: int = 0
    """before the load"""
    accepted: int = 0
    started: int = 0
    ended: int = 0
    from_ns: int = 0
    to_ns: int = 0
    struck: list[int] = field(default_factory=list)
    exited: list[str] = field(default_factory=list)
    """roles of processes that ended by themselves, or had to be ended since they no longer did anything"""
    restarts: int = 0
    """times that what a task had killed was started again"""
    hastened: bool = False
    at_rest_ns: int = 0
    horizon_ns: int = 0
    held: dict[Look, dict[str, set[int]]] = field(default_factory=dict)
    """task ids that each look saw, by the broker's key"""


@dataclass(frozen=True)
class State:
    """How far a trial's tasks have come, by the ledger."""

    known: frozenset[int]
    """tasks that the target received"""
    pending: frozenset[int]
    """those of them that have not ended"""
    open_runs: int
    """starts without an end, in whatever process"""
    last_ns: int
    """the latest moment; 0 where there is none"""

    @property
    def settled(self) -> bool:
        """Whether nothing is left that could still move."""
        return not self.pending and self.open_runs <= 0


def state(reader: LedgerReader) -> State:
    """Read the ledger as a whole; O(events)."""
    events = reader.events()
    moment, ids = events["moment"], events["task_id"]
    pending = np.setdiff1d(ids, ids[reader.over(events)])
    open_runs = int((moment == Moment.STARTED).sum()) - int((moment > Moment.STARTED).sum())
    last_ns = int(events["at_ns"].max()) if len(events) else 0
    return State(frozenset(ids.tolist()), frozenset(pending.tolist()), open_runs, last_ns)


def open_in(events: np.ndarray) -> set[int]:
    """Return the processes in which a task started and did not end."""
    runs: Counter[tuple[int, int]] = Counter()
    for task_id, moment, pid in events[["task_id", "moment", "pid"]].tolist():
        if moment >= Moment.STARTED:
            runs[task_id, pid] += 1 if moment == Moment.STARTED else -1
    return {pid for (_, pid), open_runs in runs.items() if open_runs > 0}


def tend(target: Target, drill: Drill, log: FaultLog) -> None:
    """Start again what has died where the drill says so; else note who exited by itself."""
    dead = [child for child in (*target.web, *target.workers) if not child.running]
    if dead and drill.restarts:
        time.sleep(RESTART_AFTER_S)
        restart(target)
        log.restarts += 1
    elif dead:
        log.exited += [child.role for child in dead if child.role not in log.exited]


def restart(target: Target) -> None:
    """Start again whatever is not running."""
    if not all(child.running for child in target.web):
        target.start_web()
    target.start_workers()


def take_down_idle(target: Target, *, answers: bool) -> list[str]:
    """SIGKILL what lives but no longer does anything; returns its roles."""
    idle = target.workers if answers and target.workers else [*target.web, *target.workers]
    for child in idle:
        child.kill()
    return sorted({child.role for child in idle})


class Probe:
    """Tasks of ours, none of the trial's, of which one that runs shows that the target does something."""

    def __init__(self, target: Target, kind: str) -> None:
        self._target, self._kind = target, kind
        self._reader = target.reader()
        self._ids: set[int] = set()
        self._begun_ns = time.monotonic_ns()
        self.ended_ns = 0
        self.accepted = False
        """whether the target took the latest"""
        self._send()

    def _send(self) -> None:
        self._sent_ns, self.accepted = time.monotonic_ns(), False
        with contextlib.suppress(BlockpointError):
            self._ids.add(self._target.submit(self._kind))
            self.accepted = True

    def ended(self) -> bool:
        """Say whether one has run; where none has for a while, another is sent."""
        if not self.ended_ns and self._ids & self._reader.finished_ids():
            self.ended_ns = time.monotonic_ns()
        if not self.ended_ns and _since(self._sent_ns) > ANOTHER_AFTER_S:
            self._send()
        return self.ended_ns > 0

    def overdue(self, limit_s: float) -> bool:
        """Say whether none has run for so long."""
        return not self.ended() and _since(self._begun_ns) > limit_s


def _since(moment_ns: int) -> float:
    return (time.monotonic_ns() - moment_ns) / 1e9
