"""A simulated service: an event loop before a pool, and what became of every request that it was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.coverage.arrivals import Arrivals, arrivals
from benchmarks.coverage.pool import PASSES, serve
from benchmarks.coverage.services import Law, services
from benchmarks.coverage.stalls import Loop, Stalls
from results.traffic import Traffic

Floats = npt.NDArray[np.float64]

FLOOR_S: Final = 0.001
"""of any answer: network and parsing"""
REQUEST_S: Final = 0.0004
"""what a bystander takes of a loop that is short of time"""


@dataclass(frozen=True)
class Target:
    """What is simulated. Rates at which it blocks and saturates follow; nobody has to know a formula."""

    slots: int
    mean_s: float
    law: Law = "fixed"
    arrivals: Arrivals = "conditioned"
    shared: bool = True
    """`/ping-sync` waits for a slot of the tasks' pool"""
    passes: int = PASSES
    """how often it does: once for a connection"""
    stalls: Stalls | None = None
    loop_s: float = 0.0
    """what a task takes of the loop's core, on average; as that fills up tasks last up to twice as long"""

    @property
    def traffic(self) -> Traffic:
        """What a campaign says of it that is asked for such traffic."""
        cv = {"fixed": 0.0, "exponential": 1.0, "lognormal": 2.0}[self.law]
        return Traffic("onoff" if self.arrivals == "onoff" else "poisson", cv)

    def core_at(self, rate_per_s: float, bystander_per_s: float) -> float:
        """Return which share of the loop's core is taken at a rate: 0 where it is not what tasks wait for."""
        if not self.loop_s:
            return 0.0
        return min(rate_per_s * self.loop_s + 2 * bystander_per_s * REQUEST_S, 1.0)


@dataclass(frozen=True)
class Run:
    """Every request of a run in order of due time, and when it was answered; seconds from the start."""

    due_s: Floats
    read_s: Floats
    """tasks reached their queue"""
    replied_s: Floats
    started_s: Floats
    ended_s: Floats
    ping_due_s: Floats
    ping_replied_s: Floats
    sync_due_s: Floats
    sync_replied_s: Floats

    def latencies(self) -> tuple[tuple[Floats, Floats], ...]:
        """Return due time and latency of each of the three streams."""
        streams = (
            (self.due_s, self.replied_s),
            (self.ping_due_s, self.ping_replied_s),
            (self.sync_due_s, self.sync_replied_s),
        )
        return tuple((due, replied - due) for due, replied in streams)


def run(
    target: Target,
    rates_per_s: Sequence[float],
    bystander_per_s: float,
    seconds: float,
    *,
    seed: int,
    warm_up_s: float = 0.0,
) -> Run:
    """Send a target its tasks, for so many seconds at each rate, and both bystanders; it is idle at first."""
    random = [np.random.default_rng([seed, stream]) for stream in range(5)]
    beside: Arrivals = "poisson" if target.arrivals == "poisson" else "conditioned"

    def due_at(each: np.random.Generator, how: Arrivals, rates: Sequence[float]) -> Floats:
        steps = (arrivals(each, how, rate, seconds, warm_up_s) for rate in rates)
        return np.concatenate([due + number * seconds for number, due in enumerate(steps)])

    due = due_at(random[0], target.arrivals, rates_per_s)
    ping, sync = (due_at(each, beside, [bystander_per_s] * len(rates_per_s)) for each in random[1:3])
    loop = _loop(target, random[3], seconds * len(rates_per_s))
    waited = _core(target, (due, ping, sync), random[4])
    read, ping_read, sync_read = (
        loop.awake(at + wait) for at, wait in zip((due, ping, sync), waited, strict=True)
    )
    slowed = np.minimum(waited[0], target.mean_s)
    held = services(random[4], target.law, target.mean_s, len(due)) + slowed
    visitors = sync_read if target.shared else np.empty(0)
    returned = loop.awake_at if target.stalls else None
    served = serve(read, held, visitors, target.slots, returned, passes=target.passes)
    passed = loop.awake(served.passed_s) if target.shared else sync_read
    return Run(
        due_s=due,
        read_s=read,
        replied_s=read + FLOOR_S,
        started_s=served.started_s,
        ended_s=served.ended_s,
        ping_due_s=ping,
        ping_replied_s=ping_read + FLOOR_S,
        sync_due_s=sync,
        sync_replied_s=passed + FLOOR_S,
    )


def _loop(target: Target, random: np.random.Generator, seconds: float) -> Loop:
    if target.stalls is None:
        return Loop(np.empty(0), 0.0)
    return Loop(target.stalls.starts(random, seconds), target.stalls.length_s)


def _core(target: Target, dues: tuple[Floats, ...], random: np.random.Generator) -> list[Floats]:
    """Return how long each request takes before its turn on the loop's core is over: one server, FIFO."""
    if not target.loop_s:
        return [np.zeros(len(due)) for due in dues]
    due = np.concatenate(dues)
    order = np.argsort(due, kind="stable")
    taken = np.concatenate(
        [
            random.exponential(target.loop_s, len(dues[0])),
            np.full(len(due) - len(dues[0]), REQUEST_S),
        ]
    )[order]
    done = np.cumsum(taken)
    waited = np.empty(len(due))
    waited[order] = np.maximum.accumulate(due[order] - done + taken) + done - due[order]
    return np.split(waited, np.cumsum([len(each) for each in dues])[:-1])
