"""Quantiles of the gamma distribution, by which bounds of counts and of their sums are made."""

import math
from functools import lru_cache
from typing import Final

_BISECTIONS: Final = 60
_NEGLIGIBLE: Final = 1e-14


@lru_cache(maxsize=4096)
def gamma_quantile(shape: float, p: float) -> float:
    """Return what a gamma variable of scale 1 and this shape, at least 1, is below with the chance p."""
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 20
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(shape, middle) < p else (low, middle)
    return (low + high) / 2


def _below(shape: float, x: float) -> float:
    """Return the regularised incomplete gamma function by its series (Abramowitz and Stegun 1964, 6.5)."""
    if x <= 0:
        return 0.0
    term = total = 1 / shape
    step = 0
    while term > total * _NEGLIGIBLE:
        step += 1
        term *= x / (shape + step)
        total += term
    return total * math.exp(shape * math.log(x) - x - math.lgamma(shape))
