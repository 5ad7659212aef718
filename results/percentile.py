"""The one percentile of this project: always a value that was measured."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Sample = npt.NDArray[np.floating] | npt.NDArray[np.integer] | Sequence[float]

_ROUNDING = 1e-9
"""what binary fractions may add to a rank that is a whole number"""


def rank(count: int, p: float) -> int:
    """Return which of `count` samples in ascending order is their p-th percentile, from 0."""
    return max(0, math.ceil(count * p / 100 - _ROUNDING) - 1)


def percentile(values: Sample, p: float) -> float:
    """Return the smallest sample that at least p % of the samples do not exceed; NaN of an empty sample.

    This is the inverse of the empirical distribution (Hyndman and Fan's type 1), never a value interpolated
    across a gap. The samples may be in any order; it takes O(n).
    """
    sample = np.asarray(values)
    if not sample.size:
        return math.nan
    wanted = rank(sample.size, p)
    return float(np.partition(sample, wanted)[wanted])
