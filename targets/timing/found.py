"""What the timing of a task found."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from results.percentile import percentile


@dataclass
class Lane:
    """Calls that follow each other."""

    durations_ms: list[float] = field(default_factory=list)
    began_s: float = field(default_factory=time.perf_counter)
    ended_s: float = 0.0

    @property
    def per_s(self) -> float:
        """How many end in a second, what lies between two of them included."""
        return len(self.durations_ms) / (self.ended_s - self.began_s)

    def add(self, began_s: float) -> None:
        """Add a call that ends now."""
        self.ended_s = time.perf_counter()
        self.durations_ms.append((self.ended_s - began_s) * 1000)


class Phase(msgspec.Struct, frozen=True):
    """Calls that were made in one way."""

    at_once: int
    calls: int
    failures: int
    per_s: float
    """calls that ended, failed ones too"""
    mean_ms: float
    median_ms: float
    p95_ms: float
    cv: float

    @classmethod
    def of(cls, lanes: Sequence[Lane], failures: int) -> "Phase":
        """Sum up calls that followed each other in so many lanes."""
        every = [each for lane in lanes for each in lane.durations_ms]
        mean = statistics.fmean(every)
        return cls(
            at_once=len(lanes),
            calls=len(every),
            failures=failures,
            per_s=sum(lane.per_s for lane in lanes),
            mean_ms=mean,
            median_ms=statistics.median(every),
            p95_ms=percentile(every, 95),
            cv=statistics.pstdev(every) / mean,
        )


def computes(cores: float, queued: float) -> bool:
    """Return whether a task computes more than it waits, what it waited for a core left out of both."""
    return cores > (1 - queued) / 2


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    task: str = ""
    """`module:name`, as Python has it"""
    source_sha256: str = ""
    """of the file that defines it; empty where there is none"""
    awaited: bool = False
    alone: Phase | None = None
    """one after another"""
    side_by_side: Phase | None = None
    """in as many threads, or coroutines of one loop where it is awaited"""
    in_processes: Phase | None = None
    gil: float = 0.0
    """shares of its mean time alone, see `results.schema.Demand`"""
    cores: float = 0.0
    loop: float = 0.0
    queued: float = 0.0
    """share of that time for which another program had its core; 0 where the platform keeps no account"""
    returned_bytes: int = 0
    """the largest result, pickled"""
    last_error: str = ""
    problem: str = ""
    """why it cannot be timed"""

    @property
    def computes(self) -> bool:
        """Whether it is served as what computes."""
        return computes(self.cores, self.queued)
