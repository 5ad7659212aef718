"""Draws traffic: when tasks come and how long each of them lasts. The load and theory follow the same law."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from results.lasting import LONG_SHARE, Lasting
from results.lognormal import spread
from results.trace import trace_gaps
from results.traffic import Traffic

Floats = npt.NDArray[np.float64]
Spread = Callable[[int], Floats]
"""from a number of arrivals to as many positions in a stretch of time, ascending in [0, 1)"""

SHORTEST_MS: Final = 0.001
LONGEST_DRAWN_MS: Final = 60_000.0
"""what a target takes"""


def offsets_s(
    traffic: Traffic, rate_per_s: float, seconds: float, random: np.random.Generator, warm_up: float = 0.0
) -> Floats:
    """Return when tasks come, ascending in [0, seconds).

    All but `constant` arrivals are conditioned on their number, which is the expected one both in the warm-up
    (that share of the time) and after it: given its count, a Poisson process is a uniform sample in order
    (e.g. Kingman, *Poisson Processes*, 1993, section 2.4). So a trial meets the rate that it is named after,
    instead of one that chance puts sqrt(n) arrivals away from it. Gaps are drawn at unit rate and scaled: one
    seed gives the same pattern at every rate, and `onoff` the same bursts.
    """
    count = round(rate_per_s * seconds)
    if traffic.arrivals == "constant":
        return np.asarray((np.arange(count) + 0.5) / rate_per_s)
    cut_s, early = warm_up * seconds, round(rate_per_s * warm_up * seconds)
    parts = ((0.0, cut_s, early), (cut_s, seconds, count - early))
    spreads = [_spread(traffic, end - begin, random) for begin, end, _ in parts]
    return np.concatenate(
        [
            begin + (end - begin) * spread(own)
            for spread, (begin, end, own) in zip(spreads, parts, strict=True)
        ]
    )


def durations_ms(mean_ms: float, law: Lasting, count: int, random: np.random.Generator) -> Floats:
    """Return how long tasks last: independent values of a law, to the microsecond and a minute at most.

    With s^2 = ln(1 + cv^2) a lognormal law of mean m and coefficient of variation cv is that of
    exp(ln m - s^2 / 2 + s Z). One seed gives the same values, in units of the mean, whatever their number.
    """
    if not law or not mean_ms:
        return np.full(count, mean_ms)
    if law.mix:
        drawn = np.where(random.random(count) < LONG_SHARE, *law.lengths(mean_ms)[::-1])
    else:
        s = spread(law.cv)
        drawn = random.lognormal(np.log(mean_ms) - s * s / 2, s, count)
    return np.clip(np.round(drawn, 3), SHORTEST_MS, LONGEST_DRAWN_MS)


def _spread(traffic: Traffic, length_s: float, random: np.random.Generator) -> Spread:
    """Return how the arrivals of a stretch of time spread over it."""
    if traffic.arrivals == "onoff":
        return _bursts(max(1, round(length_s / (2 * traffic.burst_mean_s))), random)
    if traffic.arrivals == "trace":
        gaps = trace_gaps(traffic.trace)
        start = random.integers(len(gaps))
        return lambda count: _placed(gaps[(start + np.arange(count + 1)) % len(gaps)])
    return lambda count: _placed(random.standard_exponential(count + 1))


def _placed(gaps: Floats) -> Floats:
    """Return where arrivals lie that have these gaps before, between and behind them."""
    ends = np.cumsum(gaps)
    return np.asarray(ends[:-1] / ends[-1])


def _bursts(count: int, random: np.random.Generator) -> Spread:
    """Return the spread of Poisson arrivals over so many bursts with as many silences, both half of the time.

    Given their number and their sum, exponential stretches are the spacings of a uniform sample.
    """
    on, off = (each / each.sum() for each in random.standard_exponential((2, count)))
    silent_first = random.integers(2)
    ends, silent = np.cumsum(on), np.concatenate([[0.0], np.cumsum(off)])

    def spread(arrivals: int) -> Floats:
        at = _placed(random.standard_exponential(arrivals + 1))
        burst = np.minimum(np.searchsorted(ends, at, side="right"), count - 1)
        return np.asarray((at + silent[burst + silent_first]) / 2)

    return spread
