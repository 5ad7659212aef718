"""How far a share can be trusted that repeats of a drill gave."""

import numpy as np
import numpy.typing as npt

from analysis.stats import DRAWS, t_quantile
from results.percentile import percentile

_Z = 1.960


def share_interval(
    part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64], seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of sum(part) / sum(whole), by a bootstrap over repeats.

    Tasks of one repeat met the same fault and are no independent samples, so whole repeats are drawn, each
    with its own counts. As in `stats.ratio_interval`, the spread is widened by t / z and n / (n - 1) for what
    few repeats do not show; unlike there, a share may be 0, so no logarithm is taken, and the interval is
    cut at 0 and 1. (NaN, NaN) where there are fewer than two repeats or all gave the same share: that
    says nothing about how they would differ.
    """
    n = len(part)
    if n < 2 or (whole <= 0).any():
        return np.nan, np.nan
    if len(np.unique(part / whole)) == 1:
        return np.nan, np.nan
    drawn = np.random.default_rng(seed).integers(0, n, (DRAWS, n))
    shares = part[drawn].sum(axis=1) / whole[drawn].sum(axis=1)
    middle = float(part.sum() / whole.sum())
    widened = t_quantile(n - 1) / _Z * np.sqrt(n / (n - 1))
    low, high = percentile(shares, 2.5), percentile(shares, 97.5)
    return (
        max(0.0, middle - float(widened) * max(middle - low, 0.0)),
        min(1.0, middle + float(widened) * max(high - middle, 0.0)),
    )
