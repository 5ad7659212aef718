"""The lognormal law of a mean and a coefficient of variation: how long tasks last that are not all alike."""

import math
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()


def spread(cv: float) -> float:
    """Return the standard deviation of the logarithm: s with s^2 = ln(1 + cv^2)."""
    return math.sqrt(math.log1p(cv * cv))


def not_exceeded(mean: float, cv: float, share: float) -> float:
    """Return what that share of the values does not exceed."""
    s = spread(cv)
    return mean * math.exp(s * _NORMAL.inv_cdf(share) - s * s / 2)


def unfilled(after: float, mean: float, cv: float) -> float:
    """Return E[max(S - t, 0)] / E[S], see `results.lasting`; `cv` is not 0."""
    if after <= 0 or not mean:
        return 1.0 if mean else 0.0
    s, far = spread(cv), math.log(after / mean)
    return _NORMAL.cdf((s * s / 2 - far) / s) - after / mean * _NORMAL.cdf((-s * s / 2 - far) / s)


def above(value: float, mean: float, cv: float) -> float:
    """Return the share of the values that are above one; `cv` is not 0."""
    s = spread(cv)
    return 1 - _NORMAL.cdf((math.log(value / mean) + s * s / 2) / s)
