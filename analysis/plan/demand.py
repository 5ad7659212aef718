"""What a plan is asked for: the traffic to carry, and what has to hold meanwhile."""

from dataclasses import dataclass
from typing import Final

from results.lasting import Lasting

PEAK_S: Final = 300.0
"""the busiest stretch that a setting has to carry, unless another is asked for"""


@dataclass(frozen=True, kw_only=True)
class RateDemand:
    """A rate, or an interval of rates that are equally likely, and what has to hold meanwhile."""

    lowest_per_s: float
    highest_per_s: float
    slo_p99_ms: float
    """99 of 100 requests, to the tasks' endpoint and to others, are answered within"""
    cores: int
    """that the whole target may use"""
    headroom: float = 1.0
    """a setting has to carry so many times the highest rate"""

    @property
    def sized_per_s(self) -> float:
        """The rate that a setting has to carry."""
        return self.highest_per_s * self.headroom

    def covered(self, rate_per_s: float) -> float:
        """Return which share of the demanded rates is no higher than that."""
        width = self.highest_per_s - self.lowest_per_s
        if not width:
            return float(rate_per_s >= self.highest_per_s)
        return min(max((rate_per_s - self.lowest_per_s) / width, 0.0), 1.0)


@dataclass(frozen=True, kw_only=True)
class Demand(RateDemand):
    """Tasks of some kind and duration, which arrive by chance (Poisson)."""

    duration_ms: float
    kind: str
    done_within_ms: float
    """99 of 100 tasks have ended so long after they were due"""
    cv: float = 0.0
    """coefficient of variation of the durations, then lognormal"""
    durable: bool = False
    """no accepted task is lost when the web process or a worker is killed"""
    peak_s: float = PEAK_S

    @property
    def lasting(self) -> Lasting:
        """The law of the durations."""
        return Lasting(self.cv)

    @property
    def slow_ms(self) -> float:
        """What 99 of 100 tasks last at most."""
        return self.lasting.not_exceeded(self.duration_ms, 0.99)
