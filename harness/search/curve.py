"""The curve of a subject: rates that all subjects have in common, met on rising stairs."""

import math
from collections.abc import Collection

E6 = (1.0, 1.5, 2.2, 3.3, 4.7, 6.8)
"""preferred numbers of a decade, each about half above the one before (IEC 60063)"""
FROM, TO = 0.2, 1.3
"""shares of the saturation between which a curve lies, as far as the search goes"""
SAME_RATE = 1.004
"""rates closer than this are one"""


def common_rates(lowest_per_s: float, highest_per_s: float) -> list[float]:
    """Return the preferred numbers in a range, rising; its end stands for those that are closest to it."""
    decades = range(math.floor(math.log10(lowest_per_s)), math.ceil(math.log10(highest_per_s)) + 1)
    numbers = (float(f"{step}e{decade}") for decade in decades for step in E6)
    return [*(rate for rate in numbers if lowest_per_s <= rate < highest_per_s / E6[1] ** 0.5), highest_per_s]


def curve(lowest_per_s: float, highest_per_s: float, saturation_per_s: float) -> list[float]:
    """Return the common rates that show how a subject saturates; up to the highest where it never does."""
    rates = common_rates(lowest_per_s, highest_per_s)
    end = min(saturation_per_s, highest_per_s)
    below = max((rate for rate in rates if rate <= FROM * end), default=rates[0])
    above = min((rate for rate in rates if rate >= TO * saturation_per_s), default=highest_per_s)
    return [rate for rate in rates if below <= rate <= above]


def untried(rates: Collection[float], tried: Collection[float]) -> list[float]:
    """Return the rates at which no trial was."""
    return [rate for rate in rates if not any(same_rate(rate, other) for other in tried)]


def same_rate(a: float, b: float) -> bool:
    """Say whether two rates are too close to be told apart."""
    return max(a, b) / min(a, b) < SAME_RATE
