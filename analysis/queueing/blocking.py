"""Where theory sees the API block: the rate at which what shares the tasks' queue waits too long."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from analysis.queueing.ceilings import saturation_rate
from analysis.queueing.demands import awaits, bound_of
from analysis.queueing.replay import PASSES, REQUEST_S, fifo_servers, replay
from analysis.queueing.trace import starts, visits
from results.draws import durations_ms, offsets_s
from results.percentile import percentile
from results.schema import Service
from results.traffic import USUAL, Traffic

Floats = npt.NDArray[np.float64]

OVERHEAD_MS: Final = 0.5
"""How much longer than its duration a task holds its server: `sleep` overshoots by 0.1 to 0.2 ms, and the
hand-over takes a thread of AnyIO's 0.3 ms and the event loop about as long (measured at load)"""
WARM_UP: Final = 0.2
"""share of a trial that is not measured"""
MOST_ARRIVALS: Final = 100_000
"""tasks of a schedule that are followed at the ceiling; of a trial with more, only so much time"""
MOST_VARIED: Final = 30_000
"""as many of tasks that are not equally long, which takes some 100 times as long"""
_BYSTANDERS: Final = {"ping": 1, "ping_sync": 2, "ping_db": 4}
_DURATIONS: Final = 3
"""numbers the durations' generator, as each stream has its own"""
_POOLS: Final = 5
"""numbers that of the pools"""
_SEEDS: Final = 5
_PRECISION: Final = 1.02
_DOUBLINGS: Final = 6


def blocking_rate(
    service: Service,
    kind: str,
    duration_ms: float,
    cores: int,
    *,
    apart: bool = False,
    limit_ms: float = 100.0,
    seconds: float = 20.0,
    bystander_per_s: float = 20.0,
    overhead_ms: float = OVERHEAD_MS,
    traffic: Traffic = USUAL,
) -> float | None:
    """Return the rate (tasks/s) at which the p99 of the worst sharing stream is predicted to cross the limit.

    It holds for a trial of `seconds` of that traffic whose warm-up is cut: the queue is followed on
    five seeded schedules, the median of their p99 counts, and the rate is found by bisection to 2 %. A
    blocked loop with S > limit blocks far below saturation: a bystander that comes in the first S - limit
    of a task waits too long, so that 1 % do at a rate of 0.01 / (S - limit), 0.1/s for tasks of 200 ms. The
    answer is never below one task a trial, which is the least that a trial can show.

    Several pools are independent queues, and chance gives each task and each bystander one of them: the p99
    is that of all their requests together. That blocks earlier than one queue of as many servers, since a
    pool may be full while another is idle. How evenly a kernel really spreads connections is not in it.

    0.0 where every rate blocks (a reply that awaits a task longer than the limit), infinite where none does
    (see `unaffected`). None where no law is known: tasks that compute in threads of the web process, which
    take the GIL or a core from the event loop and from each other (see `fifo_servers`), a poll that requests
    wait for, tasks that take no time. Raises like `saturation_rate`.
    """
    ceiling = saturation_rate(service, kind, duration_ms, cores, traffic.lasting)
    slow_ms = traffic.lasting.not_exceeded(duration_ms, 0.99)
    if unaffected(service, kind, slow_ms, apart=apart, limit_ms=limit_ms, overhead_ms=overhead_ms):
        return math.inf
    if service.law == "await" and awaits(service, kind):
        return 0.0
    servers = fifo_servers(service.one_pool, kind, cores // service.pools)
    if not service.shares or not servers or not ceiling or service.law == "poll":
        return None
    followed_s = min(seconds, (MOST_VARIED if traffic.lasting else MOST_ARRIVALS) / ceiling)
    return _crossing(
        _Queue(
            service.law,
            tuple(service.shares),
            service.pools,
            servers,
            duration_ms / 1000,
            overhead_ms / 1000,
            followed_s,
            bystander_per_s,
            traffic,
        ),
        ceiling,
        limit_ms / 1000,
    )


def unaffected(
    service: Service,
    kind: str,
    duration_ms: float,
    *,
    apart: bool,
    limit_ms: float,
    overhead_ms: float = OVERHEAD_MS,
) -> bool:
    """Say whether theory sees the API stay free of the tasks at any rate: it waits for nothing of theirs.

    `duration_ms` is what 99 % of the tasks do not exceed. `apart`: they run in other processes than the
    web's. Tasks that compute in the web process take the GIL or a core from it even where they share no
    queue. That a broker and its workers take a core from the web process is no queue either, and not seen
    here.
    """
    held = service.law != "await" and not bound_of(service, kind)
    if service.law == "await" and awaits(service, kind):
        return "accept" not in service.shares or duration_ms + overhead_ms <= limit_ms
    return not service.shares and (held or apart or service.processes > service.pools)


@dataclass(frozen=True)
class _Queue:
    """What a trial's tasks and bystanders meet."""

    law: Literal["await", "loop", "pool", "poll"]
    shares: tuple[str, ...]
    pools: int
    servers: int
    """of each pool"""
    duration_s: float
    overhead_s: float
    seconds: float
    bystander_per_s: float
    traffic: Traffic

    def p99_s(self, rate_per_s: float) -> float:
        """Return the p99 of the worst sharing stream at a rate: the median over the seeds."""
        return float(np.median([self._worst_s(rate_per_s, seed) for seed in range(_SEEDS)]))

    def _worst_s(self, rate_per_s: float, seed: int) -> float:
        """Follow one schedule, pool by pool."""
        came = {"accept": self._due_s(rate_per_s, seed)}
        came |= {name: self._came_s(seed, number) for name, number in self._visitors.items()}
        held_s = self._held_s(len(came["accept"]), seed)
        random = np.random.default_rng([seed, _POOLS])
        pool_of = {name: random.integers(self.pools, size=len(at)) for name, at in came.items()}
        latency_s: dict[str, list[Floats]] = {}
        due_s: dict[str, list[Floats]] = {}
        for pool in range(self.pools):
            own = {name: at[pool_of[name] == pool] for name, at in came.items()}
            for name, found in self._follow(own, held_s[pool_of["accept"] == pool]).items():
                latency_s.setdefault(name, []).append(found)
                due_s.setdefault(name, []).append(own[name])
        return max(self._p99(np.concatenate(latency_s[name]), np.concatenate(due_s[name])) for name in due_s)

    @property
    def _passes(self) -> dict[str, int]:
        """How often each bystander queues here that shares the tasks' queue."""
        passes = PASSES["pool" if self.law == "pool" else "loop"]
        return {name: count for name, count in passes.items() if name in self.shares}

    @property
    def _visitors(self) -> dict[str, int]:
        """The bystanders that are followed, each with the number of its generator."""
        return (
            _BYSTANDERS if self.traffic.lasting else {name: n for n, name in enumerate(self._passes, start=1)}
        )

    def _held_s(self, tasks: int, seed: int) -> Floats:
        """Return how long each task lasts."""
        if not self.traffic.lasting:
            return np.full(tasks, self.duration_s)
        random = np.random.default_rng([seed, _DURATIONS])
        return durations_ms(self.duration_s * 1000, self.traffic.lasting, tasks, random) / 1000

    def _follow(self, came: dict[str, Floats], held_s: Floats) -> dict[str, Floats]:
        """Return by stream how long its requests wait in one pool."""
        return self._varied(came, held_s) if self.traffic.lasting else self._alike(came)

    def _alike(self, came: dict[str, Floats]) -> dict[str, Floats]:
        """Follow equally long tasks; bystanders hold nothing, but slow a loop down by what they take."""
        visited_per_s = self.bystander_per_s / self.pools * sum(self._passes.values())
        taken = 0.0 if self.law == "pool" else REQUEST_S * visited_per_s
        held = (self.duration_s + self.overhead_s) / max(1 - taken, 0.1)
        due = came["accept"]
        start = starts(due, held, self.servers)
        waits = {}
        if "accept" in self.shares:
            waits["accept"] = start - due + held * (self.law == "await")
        for name, count in self._passes.items():
            at = came[name]
            for _ in range(count):
                at = visits(at, due, start, held, self.servers)
            waits[name] = at - came[name]
        return waits

    def _varied(self, came: dict[str, Floats], held_s: Floats) -> dict[str, Floats]:
        """Follow tasks that are not equally long, job by job."""
        service = Service(law=self.law, slots=self.servers, shares=list(self.shares))
        due, held = came["accept"], held_s + self.overhead_s
        return replay(service, self.servers, due, held, {name: came[name] for name in _BYSTANDERS}).latency_s

    def _due_s(self, rate_per_s: float, seed: int) -> Floats:
        """Return the tasks' arrivals; one seed gives nearly the same pattern at neighbouring rates."""
        return offsets_s(self.traffic, rate_per_s, self.seconds, np.random.default_rng([seed, 0]), WARM_UP)

    def _came_s(self, seed: int, stream: int) -> Floats:
        random = np.random.default_rng([seed, stream])
        return offsets_s(USUAL, self.bystander_per_s, self.seconds, random, WARM_UP)

    def _p99(self, wait_s: Floats, due_s: Floats) -> float:
        measured = wait_s[due_s >= WARM_UP * self.seconds]
        return percentile(measured, 99) if len(measured) else 0.0


@cache
def _crossing(queue: _Queue, ceiling_per_s: float, limit_s: float) -> float:
    """Return where the p99 crosses the limit: bracketed by factors of 2 about the ceiling, then bisected.

    Infinite where it does not cross, however overloaded the queue: the trial is shorter than the limit.
    """
    high, least = ceiling_per_s, 1 / queue.seconds
    for _ in range(_DOUBLINGS):
        if queue.p99_s(high) > limit_s:
            break
        high *= 2
    else:
        return math.inf
    low = high / 2
    while low > least and queue.p99_s(low) > limit_s:
        low, high = low / 2, low
    while high / low > _PRECISION:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if queue.p99_s(middle) > limit_s else (middle, high)
    return max(float(np.sqrt(low * high)), least)
