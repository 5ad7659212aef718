"""The drills: what each breaks, under which load, and whom it concerns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from harness.drills import faults
from harness.drills.faults import Fault
from harness.target.target import Launch, Target
from results.schema import Subject
from targets.settings import MOST_WEB_PROCESSES

KIND: Final = "sleep"
WINDOWS: Final[Mapping[str, Any]] = {"visibility_s": 12.0, "job_timeout_s": 2.0}
"""shortened, so that what is hidden can be waited for, and yet longer than a restart: both come to 12 s,
since ARQ adds 10 s to its job_timeout"""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """The state of the ledger in which a drill strikes: never a time on the clock."""

    ended: int = 0
    running: int = 0
    accepted: int = 0
    under_way: int = 0
    """accepted and not ended, running or not"""
    for_s: float = 0.0
    """since the first task started: what is to be overdue must have run for so long"""

    def words(self) -> str:
        """Return the condition in words."""
        parts = [
            f"{count} {name.replace('_', ' ')}"
            for name in ("accepted", "ended", "running", "under_way")
            if (count := getattr(self, name))
        ]
        parts += [f"{self.for_s:g} s after the first start"] if self.for_s else []
        return "at least " + ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One thing that can happen to a target."""

    name: str
    summary: str
    of_several: str = ""
    """the summary where there are several web processes; empty where it is the same"""
    least_web_processes: int = 1
    most_web_processes: int = MOST_WEB_PROCESSES
    concerns: Callable[[Subject], bool]
    """says whether it can happen to that subject"""
    fault: Fault | None = None
    """None where the load itself is the fault"""
    trigger: Trigger = Trigger(ended=10, running=1)
    prepare: Callable[[Target], None] | None = None
    """done to the idle target before the load"""
    rate_per_s: float = 20.0
    seconds: float = 4.0
    duration_ms: float = 250.0
    options: tuple[str, ...] = ()
    """further arguments of the scenario"""
    settings: Mapping[str, Any] = field(default_factory=lambda: WINDOWS)
    appendonly: bool = False
    settle_s: float = 1.5
    """without any moment for so long beyond a task's duration, nothing moves any more"""
    breaks_broker: bool = False
    """needs a broker of our own"""
    restarts: bool = False
    """whatever dies is started again at once, since tasks kill their processes"""

    def told(self, web_processes: int) -> str:
        """Return what is done, in words."""
        return (self.of_several if web_processes > 1 else "") or self.summary

    def refusal(self, web_processes: int) -> str:
        """Return why it is not defined for so many web processes; empty where it is."""
        if web_processes < self.least_web_processes:
            return f"needs --workers {self.least_web_processes} or more"
        if web_processes > self.most_web_processes:
            return "is defined for one web process: leave --workers away"
        return ""

    def launch(self, plain: Launch) -> Launch:
        """Return how the target of such a drill is started."""
        settings = replace(plain.settings, drills=True, **self.settings)
        return replace(plain, settings=settings, appendonly=self.appendonly)


def _any(_: Subject) -> bool:
    return True


def _has_workers(subject: Subject) -> bool:
    return subject.workers > 0


def _has_children(subject: Subject) -> bool:
    return subject.services[KIND].children


def _hides(subject: Subject) -> bool:
    return subject.window_s > 0


RECONNECT_S: Final = 5.0
"""a worker that lost its broker looks again after 1, 2 or 4 s"""

DRILLS: Final[Mapping[str, Drill]] = {
    drill.name: drill
    for drill in (
        Drill(
            name="kill-web",
            summary="SIGKILL to the web process, started again at once",
            of_several="SIGKILL to uvicorn's parent and all of its workers, started again at once",
            concerns=_any,
            fault=faults.kill_web,
        ),
        Drill(
            name="stop-web",
            summary="SIGTERM to the web process (a deploy), started again once it has exited",
            of_several="SIGTERM to uvicorn's parent, which ends its workers (a deploy), started again then",
            concerns=_any,
            fault=faults.stop_web,
        ),
        Drill(
            name="kill-web-worker",
            summary="SIGKILL to one of uvicorn's workers, which its parent replaces (--workers 2 or more)",
            least_web_processes=2,
            concerns=_any,
            fault=faults.kill_web_worker,
        ),
        Drill(
            name="kill-worker",
            summary="SIGKILL to the whole worker, started again at once",
            concerns=_has_workers,
            fault=faults.kill_worker,
        ),
        Drill(
            name="kill-child",
            summary="SIGKILL to the one child, of a worker or a pool, that started the latest task",
            concerns=_has_children,
            fault=faults.kill_child,
        ),
        Drill(
            name="stop-worker",
            summary="SIGTERM to the worker (a deploy), started again once it has exited",
            concerns=_has_workers,
            fault=faults.stop_worker,
        ),
        Drill(
            name="kill-broker",
            summary="SIGKILL to the broker, which keeps nothing on disk, started again at once",
            concerns=_has_workers,
            fault=faults.kill_broker,
            breaks_broker=True,
            settle_s=RECONNECT_S,
        ),
        Drill(
            name="kill-broker-aof",
            summary="SIGKILL to the broker, which keeps an append-only file, started again at once",
            concerns=_has_workers,
            fault=faults.kill_broker,
            breaks_broker=True,
            appendonly=True,
            settle_s=RECONNECT_S,
        ),
        Drill(
            name="hang-broker",
            summary=f"SIGSTOP to the broker, SIGCONT {faults.HANG_S:g} s later",
            concerns=_has_workers,
            fault=faults.hang_broker,
            breaks_broker=True,
            seconds=8.0,
            settle_s=RECONNECT_S,
        ),
        Drill(
            name="client-reset",
            summary="every other client closes its connection as soon as its request has left",
            concerns=_any,
            options=("--close-early-every", "2"),
        ),
        Drill(
            name="poison-raise",
            summary="every fifth task raises, at every attempt",
            concerns=_any,
            options=("--poison", "raise", "--poison-every", "5"),
        ),
        Drill(
            name="poison-kill",
            summary="every thirtieth task kills the process it runs in, at its first two starts",
            concerns=_any,
            most_web_processes=1,
            options=("--poison", "kill", "--poison-every", "30", "--poison-kills", "2"),
            restarts=True,
        ),
        Drill(
            name="slow-start",
            summary="the workers come up only after half of the tasks",
            concerns=_has_workers,
            prepare=faults.take_workers_down,
            fault=faults.start_workers,
            trigger=Trigger(accepted=40),
        ),
        Drill(
            name="too-short-window",
            summary="tasks of 5 s under a window of 1 s, and a second worker starts meanwhile",
            concerns=_hides,
            fault=faults.add_workers,
            trigger=Trigger(accepted=6, running=1, for_s=1.2),
            rate_per_s=4.0,
            seconds=2.5,
            duration_ms=5000.0,
            settings={"visibility_s": 1.0, "job_timeout_s": 1.0},
        ),
    )
}
