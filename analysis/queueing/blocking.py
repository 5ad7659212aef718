"""Where theory sees the API block: the rate at which what shares the tasks' queue waits too long."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from analysis.queueing.ceilings import saturation_rate
from analysis.queueing.replay import PASSES, REQUEST_S, fifo_servers, replay
from analysis.queueing.trace import starts, visits
from results.draws import durations_ms, offsets_s
from results.percentile import percentile
from results.schema import Service
from results.terms import KINDS
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
_BYSTANDERS: Final = ("ping", "ping_sync")
_DURATIONS: Final = 1 + len(_BYSTANDERS)
"""numbers the durations' generator, as each stream has its own"""
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

    0.0 where every rate blocks (a reply that awaits a task longer than the limit), infinite where none does
    (see `unaffected`). None where no law is known: tasks that compute in threads of the web process, which
    take the GIL or a core from the event loop and from each other (see `fifo_servers`), a poll that requests
    wait for, tasks that take no time. Raises like `saturation_rate`.
    """
    ceiling = saturation_rate(service, kind, duration_ms, cores, traffic.lasting)
    slow_ms = traffic.lasting.not_exceeded(duration_ms, 0.99)
    if unaffected(service, kind, slow_ms, apart=apart, limit_ms=limit_ms, overhead_ms=overhead_ms):
        return math.inf
    if service.law == "await" and KINDS[kind].held:
        return 0.0
    servers = fifo_servers(service, kind, cores)
    if not service.shares or not servers or not ceiling or service.law == "poll":
        return None
    followed_s = min(seconds, (MOST_VARIED if traffic.lasting else MOST_ARRIVALS) / ceiling)
    return _crossing(
        _Queue(
            service.law,
            tuple(service.shares),
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
    held = KINDS[kind].held
    if service.law == "await" and held:
        return "accept" not in service.shares or duration_ms + overhead_ms <= limit_ms
    return not service.shares and (held or apart or service.processes > 1)


@dataclass(frozen=True)
class _Queue:
    """What a trial's tasks and bystanders meet."""

    law: Literal["await", "loop", "pool", "poll"]
    shares: tuple[str, ...]
    servers: int
    duration_s: float
    overhead_s: float
    seconds: float
    bystander_per_s: float
    traffic: Traffic

    def p99_s(self, rate_per_s: float) -> float:
        """Return the p99 of the worst sharing stream at a rate: the median over the seeds."""
        return float(np.median([self._worst_s(rate_per_s, seed) for seed in range(_SEEDS)]))

    def _worst_s(self, rate_per_s: float, seed: int) -> float:
        """Follow one schedule. Bystanders hold nothing, but slow a loop down by what they take of it."""
        due = self._due_s(rate_per_s, seed)
        if self.traffic.lasting:
            return self._worst_varied_s(due, seed)
        passes = PASSES["pool" if self.law == "pool" else "loop"]
        sharing = {name: count for name, count in passes.items() if name in self.shares}
        taken = 0.0 if self.law == "pool" else REQUEST_S * self.bystander_per_s * sum(sharing.values())
        held = (self.duration_s + self.overhead_s) / max(1 - taken, 0.1)
        start = starts(due, held, self.servers)
        p99 = []
        if "accept" in self.shares:
            p99.append(self._p99(start - due + held * (self.law == "await"), due))
        for stream, (_, count) in enumerate(sharing.items(), start=1):
            came = at = self._came_s(seed, stream)
            for _ in range(count):
                at = visits(at, due, start, held, self.servers)
            p99.append(self._p99(at - came, came))
        return max(p99)

    def _worst_varied_s(self, due_s: Floats, seed: int) -> float:
        """Follow one schedule of tasks that are not equally long, job by job."""
        random = np.random.default_rng([seed, _DURATIONS])
        held_s = durations_ms(self.duration_s * 1000, self.traffic.lasting, len(due_s), random) / 1000
        came = {name: self._came_s(seed, stream) for stream, name in enumerate(_BYSTANDERS, start=1)}
        service = Service(law=self.law, slots=self.servers, shares=list(self.shares))
        found = replay(service, self.servers, due_s, held_s + self.overhead_s, came)
        return max(self._p99(wait_s, came.get(name, due_s)) for name, wait_s in found.latency_s.items())

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
