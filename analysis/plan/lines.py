"""How long tasks wait in a line before some servers: followed task by task on seeded schedules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from analysis.queueing.blocking import WARM_UP
from analysis.queueing.replay import replay
from analysis.queueing.trace import starts
from results.draws import durations_ms, offsets_s
from results.lasting import Lasting
from results.percentile import percentile
from results.schema import Service
from results.traffic import USUAL

Floats = npt.NDArray[np.float64]
Law = Literal["await", "loop", "pool", "poll"]

SCHEDULES: Final = 9
"""of nine, the next lies below the highest in nine of ten cases"""
MOST_ALIKE: Final = 30_000
"""tasks of a schedule that are followed where all are equally long"""
MOST_VARIED: Final = 5_000
"""as many where they are not, which takes some 100 times as long"""
BYSTANDERS_PER_S: Final = 50.0
PRECISION: Final = 1.01
_STREAMS: Final = ("ping", "ping_sync", "ping_db")
_ROOT: Final = 20_260
"""apart from the seeds of the schedules that a load offers"""


@dataclass(frozen=True)
class Range:
    """A figure as the schedules have it: their lowest, their median and their highest."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Range":
        """Return that of some values."""
        return cls(min(values), float(np.median(values)), max(values))

    def __add__(self, more: float) -> "Range":
        return Range(self.low + more, self.middle + more, self.high + more)


@dataclass(frozen=True)
class WaitingLine:
    """Equal queues side by side, among which chance spreads the tasks, and the servers of each."""

    law: Law
    servers: int
    """of each queue; 0: nothing limits them"""
    queues: int = 1
    poll_s: float = 0.0
    read_limit: int = 0
    shares: tuple[str, ...] = ()
    """streams of requests that wait in the tasks' queue"""

    @property
    def service(self) -> Service:
        """How one of the queues serves."""
        return Service(
            law=self.law,
            slots=self.servers,
            poll_s=self.poll_s,
            read_limit=self.read_limit,
            shares=list(self.shares),
        )


@dataclass(frozen=True)
class Work:
    """What comes to a line."""

    duration_ms: float
    overhead_ms: float
    """for which a task holds its server beyond its duration"""
    lasting: Lasting
    peak_s: float

    @property
    def held_s(self) -> float:
        """How long a task holds its server on average."""
        return (self.duration_ms + self.overhead_ms) / 1000


@dataclass(frozen=True)
class Waits:
    """99 of 100, in ms."""

    queue: Range
    """from accepted to started"""
    completion: Range
    """from due to ended"""
    shared: Range
    """the worst of the requests that wait in the same queue; 0 where none does"""


def waits(line: WaitingLine, rate_per_s: float, work: Work) -> Waits:
    """Return what 99 of 100 wait at a rate, over the peak's schedules; warm-ups are cut as in a trial."""
    return _waits(line, float(f"{rate_per_s:.5g}"), work)


def highest_rate(line: WaitingLine, work: Work, holds: Callable[[Waits], bool], start_per_s: float) -> float:
    """Return the highest rate at which something holds, to 1 %, by bisection; 0 where it holds at none."""
    high = start_per_s
    for _ in range(12):
        if not holds(waits(line, high, work)):
            break
        high *= 1.5
    low = high / 1.5
    for _ in range(12):
        if holds(waits(line, low, work)):
            break
        low, high = low / 1.5, low
    else:
        return 0.0
    while high / low > PRECISION:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if holds(waits(line, middle, work)) else (low, middle)
    return low


@lru_cache(maxsize=4096)
def _waits(line: WaitingLine, rate_per_s: float, work: Work) -> Waits:
    followed = [_follow(line, rate_per_s / line.queues, work, seed) for seed in range(SCHEDULES)]
    queue, completion, shared = zip(*followed, strict=True)
    return Waits(Range.of(queue), Range.of(completion), Range.of(shared))


def _follow(line: WaitingLine, rate_per_s: float, work: Work, seed: int) -> tuple[float, float, float]:
    """Return the three p99 in one of the queues on one schedule, in ms."""
    most = MOST_VARIED if work.lasting or line.shares or line.poll_s else MOST_ALIKE
    seconds = max(min(work.peak_s, most / rate_per_s), 100 / rate_per_s)
    due_s = _come(rate_per_s, seconds, seed, 0)
    served_s = durations_ms(work.duration_ms, work.lasting, len(due_s), _random(seed, 9)) / 1000
    held_s = served_s + work.overhead_ms / 1000
    start_s, shared = _served(line, due_s, held_s, seconds, seed)
    measured = due_s >= WARM_UP * seconds
    queue = percentile((start_s - due_s)[measured], 99)
    completion = percentile((start_s + held_s - due_s)[measured], 99)
    return 1000 * queue, 1000 * completion, 1000 * shared


def _served(
    line: WaitingLine, due_s: Floats, held_s: Floats, seconds: float, seed: int
) -> tuple[Floats, float]:
    """Return when each task starts, and the p99 of the worst sharing stream."""
    if line.servers and not line.shares and not line.poll_s and np.ptp(held_s) == 0:
        return starts(due_s, float(held_s[0]), line.servers), 0.0
    others = {
        name: _come(BYSTANDERS_PER_S / line.queues, seconds, seed, number)
        for number, name in enumerate(_STREAMS, start=1)
        if name in line.shares
    }
    found = replay(line.service, line.servers, due_s, held_s, others)
    came = others | {"accept": due_s}
    late = [
        percentile(waited[came[name] >= WARM_UP * seconds], 99) for name, waited in found.latency_s.items()
    ]
    return found.start_s, max(late, default=0.0)


def _come(rate_per_s: float, seconds: float, seed: int, stream: int) -> Floats:
    return offsets_s(USUAL, rate_per_s, seconds, _random(seed, stream), WARM_UP)


def _random(seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([_ROOT, seed, stream])
