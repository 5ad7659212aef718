"""Times the user's task before anything is searched: its kind, its duration and its demand follow."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from analysis.queueing import saturation_rate
from harness.campaign.predictions import split_key
from harness.target.cores import Pinning
from harness.target.environments import environment_of
from harness.target.own import TaskWish, beside
from harness.target.processes import Family, died, family
from results.errors import BlockpointError
from results.schema import Demand, Service
from results.waiting import wait_until
from targets.settings import Settings
from targets.timing.found import Timed

USUAL: Final = "background_tasks"
"""in whose environment a task is timed where no strategy is named: the web framework's, and nothing else"""
PHASES_S: Final = 90.0
"""all phases together take less, beyond a call's limit each"""
LIMITS: Final = 6
WAITED_FOR: Final = 0.05


@dataclass(frozen=True)
class Own:
    """The user's task, timed."""

    wish: TaskWish
    settings: Settings
    """of it alone; the rest are defaults"""
    timed: Timed
    strategy: str
    """in whose environment it was timed"""
    cores: int
    """on how many"""

    @property
    def kind(self) -> str:
        """How strategies serve it."""
        if self.timed.awaited:
            return "own_await"
        return "own_compute" if self.timed.computes else "own_wait"

    @property
    def duration_ms(self) -> float:
        """The mean of its time when it runs alone, to three digits."""
        assert self.timed.alone is not None
        return float(f"{self.timed.alone.mean_ms:.3g}")

    def law(self, service: Service) -> str:
        """Return, in words, the ceiling of a service of this task on the cores where it was timed."""
        demand = Demand(gil=self.timed.gil, cores=self.timed.cores, loop=self.timed.loop)
        told = msgspec.structs.replace(service, demand=demand)
        limit = saturation_rate(told, self.kind, self.duration_ms, self.cores)
        return "" if limit is None else f", law {limit:.3g}/s"

    def on(self, base: Settings) -> Settings:
        """Return settings that have this task, and what it holds."""
        names = [name for name in Settings.__dataclass_fields__ if name.startswith("own_")]
        return replace(base, **{name: getattr(self.settings, name) for name in names})


def time_task(wish: TaskWish, seed: int, strategies: Sequence[str], slots: int, cores: Sequence[int]) -> Own:
    """Time a task in the environment of the first strategy, on the target's cores.

    Raises BlockpointError where that cannot be done.
    """
    strategy = split_key(strategies[0])[0] if strategies else USUAL
    wish.check(strategy)
    settings = beside(wish.settings(Settings(), seed), strategy, wish.packages)
    with family() as members:
        timed = _timed(members, strategy, settings, slots, cores)
    if timed.problem:
        raise BlockpointError(f"--task {wish.name}: {timed.problem}")
    told = replace(
        wish.settings(Settings(), seed),
        own_gil=round(timed.gil, 4),
        own_cores=round(timed.cores, 4),
        own_loop=round(timed.loop, 4),
    )
    return Own(wish, told, timed, strategy, len(cores) or os.cpu_count() or 1)


def _timed(members: Family, strategy: str, settings: Settings, slots: int, cores: Sequence[int]) -> Timed:
    answer, log = members.folder / "timed.json", members.folder / "timed.log"
    at_once = [str(slots), str(max(2, len(cores))), f"{settings.own_limit_s:g}", *map(str, cores)]
    command = [environment_of(strategy).python, "-m", "targets.timing", str(answer), *at_once]
    child = members.spawn("timing", command, log, settings.to_environment(), Pinning())
    longest_s = PHASES_S + LIMITS * settings.own_limit_s
    if not wait_until(lambda: not child.running, longest_s, WAITED_FOR):
        return Timed(problem=f"its timing did not end within {longest_s:.0f} s")
    if not answer.exists():
        raise died("the process that times the task", child)
    return msgspec.json.decode(answer.read_bytes(), type=Timed)
