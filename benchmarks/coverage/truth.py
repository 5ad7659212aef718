"""The long run of a simulated target: where it blocks and where it saturates, each with its own error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.coverage.target import Run, Target, run
from harness.search.curve import SAME_RATE

Floats = npt.NDArray[np.float64]

GROWTH: Final = 0.01
"""share of the arrivals by which a backlog may grow before the work is said to fall behind"""
SLOW_SHARE: Final = 0.01
LIMIT_S: Final = 0.1
BYSTANDER_PER_S: Final = 100.0
SETTLED_S: Final = 30.0
"""begin of a run that is not looked at"""
RUN_S: Final = 400.0
RUNS: Final = 10
LEAST_PER_S: Final = 0.5
HIGHEST_PER_S: Final = 2_500.0
_FINE: Final = 1.02
_OVERLOAD: Final = 1.5
_KEPT_UP: Final = 0.995


@dataclass(frozen=True)
class Rate:
    """A rate a second, 0 where it gives way at any, infinite where at none that is searched."""

    per_s: float
    error: float = 0.0
    """standard error of its logarithm"""

    @property
    def low(self) -> float:
        """Below it by two errors, and by what a search takes for the same rate at the least."""
        return self.per_s / self._margin

    @property
    def high(self) -> float:
        """Above it by as much."""
        return self.per_s * self._margin

    @property
    def _margin(self) -> float:
        return max(math.exp(2 * self.error), SAME_RATE)


@dataclass(frozen=True)
class Truth:
    """Where a target gives way in the long run."""

    blocking: Rate
    """from there on more than 1 % of the requests of some stream take longer than 100 ms"""
    saturation: Rate
    """from there on work arrives faster than it is done"""


def long_run(target: Target) -> Truth:
    """Return both points, from runs of 400 s."""
    saturation = _saturation(target)
    return Truth(_blocking(target, min(saturation.per_s, HIGHEST_PER_S)), saturation)


def slow_share(target: Target, rate_per_s: float, seed: int) -> float:
    """Return the share of slow requests of the worst stream in a run."""
    seen = run(target, [rate_per_s], BYSTANDER_PER_S, RUN_S + SETTLED_S, seed=seed)
    return max(float((took[due >= SETTLED_S] > LIMIT_S).mean()) for due, took in seen.latencies() if len(due))


def _saturation(target: Target) -> Rate:
    """Return how fast an overloaded target works."""
    law = target.slots / target.mean_s
    rate = min(_OVERLOAD * law, HIGHEST_PER_S)
    done = [_done_per_s(run(target, [rate], BYSTANDER_PER_S, RUN_S, seed=seed)) for seed in range(RUNS // 2)]
    middle = float(np.mean(done))
    if middle > _KEPT_UP * rate:
        return Rate(math.inf)
    error = float(np.std(done, ddof=1) / np.sqrt(len(done)) / middle)
    return Rate(middle, max(error, GROWTH / 2))


def _done_per_s(seen: Run) -> float:
    from_s, to_s = 0.25 * RUN_S, 0.95 * RUN_S
    return float(((seen.ended_s >= from_s) & (seen.ended_s < to_s)).sum() / (to_s - from_s))


def _blocking(target: Target, highest_per_s: float) -> Rate:
    """Return where the share crosses 1 %: bracketed by one run a rate, then read off ten at each of three."""
    if slow_share(target, LEAST_PER_S, seed=0) > SLOW_SHARE:
        return Rate(0.0)
    low, high = LEAST_PER_S, highest_per_s * 1.1
    if slow_share(target, high, seed=0) <= SLOW_SHARE:
        return Rate(math.inf)
    while high / low > _FINE:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if slow_share(target, middle, seed=0) > SLOW_SHARE else (middle, high)
    rates = [low / _FINE, math.sqrt(low * high), high * _FINE]
    shares = np.array([[slow_share(target, rate, seed) for seed in range(1, RUNS + 1)] for rate in rates])
    without = [_crossing(rates, np.delete(shares, each, axis=1).mean(axis=1)) for each in range(RUNS)]
    error = math.sqrt((RUNS - 1) * float(np.var(without)))
    return Rate(math.exp(_crossing(rates, shares.mean(axis=1))), error)


def _crossing(rates: Sequence[float], shares: Floats) -> float:
    """Return the logarithm of the rate at which a line through the logarithms of the shares is at 1 %."""
    logs = np.log(np.maximum(shares, 1e-6))
    slope, base = np.polyfit(np.log(rates), logs, 1)
    return float((math.log(SLOW_SHARE) - base) / slope)
