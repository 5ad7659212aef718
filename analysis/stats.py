"""Percentiles, censored ones too, and how far they can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from results.percentile import percentile, rank

Floats = npt.NDArray[np.float64]
Seed = int | tuple[int, int]

CONFIDENCE: Final = 0.95
REPLICATES: Final = 400
"""resamples within a run"""
DRAWS: Final = 4000
"""resamples of runs"""
FEWEST: Final = 20
"""samples that a run needs for an interval of its own"""
SHAKY: Final = 2.0
"""an interval whose ends are further apart than this factor cannot tell a strategy from one half as fast"""
_STARTS: Final = 256
_KEPT: Final = 32
"""sizes of samples whose draws are kept, 0.8 MB each"""
_BINS: Final = 512
_Z: Final = 1.960
_T975: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


@dataclass(frozen=True)
class Percentile:
    """One percentile of a sample in the sample's own unit."""

    value: float
    """NaN for an empty sample"""
    at_least: bool = False
    """the true value may be higher: a request that never ended lies at or below it with its bound"""


def censored_percentile(values: Floats, bounds: Floats, p: float) -> Percentile:
    """Return a percentile of `values` and of samples of which only a lower bound is known.

    The bounds take part as if they were values, which can only make the result too low; `at_least` says
    where that is possible, that is where a bound is not above the result.
    """
    value = percentile(np.concatenate([values, bounds]) if len(bounds) else values, p)
    return Percentile(value, at_least=bool(len(bounds)) and bool(bounds.min() <= value))


def block_length(n: int) -> int:
    """Return the length of a block in samples: 2 sqrt(n), at most a quarter of the sample.

    Latencies of neighbouring requests are alike (lag-1 correlation 0.97 near saturation), and a block must
    be longer than that memory; with 2,000 samples it is 90.
    """
    return max(1, min(int(2 * np.sqrt(n)), n // 4))


def block_interval(values: Floats, p: float, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of a percentile within one run, by a moving-block bootstrap.

    `values` are in order of time. Each of 400 replicates is built from blocks of `block_length` neighbours
    (Künsch 1989); an i.i.d. resample would pretend that neighbours are independent and come out far too
    narrow. Blocks start at up to 256 evenly spaced places, and percentiles are read from up to 512 ranks
    about the wanted one, so that the cost hardly grows with the sample. (NaN, NaN) below 20 samples.
    """
    if len(values) < FEWEST:
        return np.nan, np.nan
    return _middle(_replicates(values, p, seed))


def ratio_interval(
    ours: Sequence[Floats], theirs: Sequence[Floats], p: float, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio ours / theirs of a percentile, from runs in pairs.

    The i-th runs of both met the same schedule, whose luck the ratio is free of; the figure is the
    geometric mean of the pairs' ratios. Replicates resample pairs, then blocks within each of their runs
    (a hierarchical bootstrap). Few runs look more alike than they are, so the spread about the middle is
    widened (after Hesterberg 2015, "What teachers should know about the bootstrap"; see `_widening`): where
    runs differ by more than chance within a run explains, 9-fold for two pairs, which say next to nothing,
    and 2.7-fold for three. In simulation (lag-1 correlation 0.97) two pairs cover the truth 85 to 100 % of
    the time and three 95 % and more; pooled samples taken for independent do so 10 to 48 %. Of one pair
    only the spread within its runs is known, which misses what differs between runs.

    Raises ValueError where runs have no partner; (NaN, NaN) without runs, or where a figure is not positive.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} runs cannot be paired with {len(theirs)}")
    pairs = enumerate(zip(ours, theirs, strict=True))
    return _interval(
        [
            np.log(_figures(mine, p, (seed, number))) - np.log(_figures(other, p, (seed + 1, number)))
            for number, (mine, other) in pairs
        ],
        seed,
    )


def shaky(low: float, high: float) -> bool:
    """Return whether an interval of a positive figure is too wide to build on, or not known."""
    return not (high <= SHAKY * low)


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t; exact to 3 digits for up to 10 degrees of freedom.

    Beyond, the expansion of Cornish and Fisher (Abramowitz and Stegun 1964, 26.7.5) is as good.
    """
    if freedom <= len(_T975):
        return _T975[freedom - 1]
    return _Z + (_Z**3 + _Z) / (4 * freedom) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)


def _figures(run: Floats, p: float, seed: Seed) -> Floats:
    """Return the run's percentile, and after it replicates of it; a short run has only itself to offer."""
    figure = percentile(run, p)
    spread = _replicates(run, p, seed) if len(run) >= FEWEST else np.full(REPLICATES, figure)
    figures = np.concatenate([[figure], spread])
    return np.where(figures > 0, figures, np.nan)


def _interval(logs: Sequence[Floats], seed: int) -> tuple[float, float]:
    """Return the interval from each run's logarithms: its own first, then its replicates'."""
    n = len(logs)
    if not n or np.isnan(table := np.array(logs)).any():
        return np.nan, np.nan
    middle = table[:, 0].mean()
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, n, (DRAWS, n))
    which = rng.integers(1, table.shape[1], (DRAWS, n))
    low, high = _middle(table[drawn, which].mean(axis=1))
    widened = _widening(table)
    return (
        float(np.exp(middle - widened * max(middle - low, 0.0))),
        float(np.exp(middle + widened * max(high - middle, 0.0))),
    )


def _widening(logs: Floats) -> float:
    """Return the factor for what n runs do not show of their spread: t / z, and n - 1 where n divided.

    With w the variance within runs, which the blocks show well, and s that of the runs' own figures, of
    n - 1 degrees of freedom, w + s has (n - 1) ((w + s) / s)^2 of them (Satterthwaite 1946).
    """
    n = len(logs)
    if n == 1:
        return 1.0
    within = float(logs[:, 1:].var(axis=1).mean())
    between = float(logs[:, 0].var(ddof=1))
    if not between:
        return 1.0
    freedom = int((n - 1) * ((within + between) / between) ** 2)
    missed = (within + between) / (within + between * (n - 1) / n)
    return float(t_quantile(freedom) / _Z * np.sqrt(missed))


def _replicates(values: Floats, p: float, seed: Seed) -> Floats:
    """Return the percentile in 400 resamples by moving blocks."""
    n = len(values)
    length = block_length(n)
    edges = _edges(values, p)
    starts = np.unique(np.linspace(0, n - length, _STARTS).astype(np.int64))
    place = np.searchsorted(edges, values, side="left")
    blocks = np.lib.stride_tricks.sliding_window_view(place, length)[starts]
    width = len(edges) + 1
    flat = (blocks + np.arange(len(starts))[:, None] * width).ravel()
    counts = np.bincount(flat, minlength=len(starts) * width).reshape(len(starts), width)
    draws = _draws(-(-n // length), len(starts), seed)
    share = np.cumsum(draws @ counts.astype(np.float64), axis=1)  # by BLAS, exact
    wanted = np.ceil(share[:, -1:] * (p / 100) - 1e-9)
    found: Floats = edges[np.minimum((share < wanted).sum(axis=1), len(edges) - 1)]
    return found


@lru_cache(maxsize=_KEPT)
def _draws(blocks: int, starts: int, seed: Seed) -> Floats:
    """Return how often each replicate draws each start: the same for all samples of one size."""
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(starts, 1 / starts), REPLICATES)
    return drawn.astype(np.float64)


def _middle(found: Floats) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2 * 100
    return percentile(found, tail), percentile(found, 100 - tail)


def _edges(values: Floats, p: float) -> Floats:
    """Return up to `_BINS` sample values around the percentile: all of them where they are that few."""
    n = len(values)
    margin = max(0.05 * n, 6 * n * (1 - p / 100), 1) if p > 50 else n
    low = max(0, int(rank(n, p) - margin))
    high = min(n - 1, int(rank(n, p) + margin))
    near = np.sort(np.partition(values, (low, high))[low : high + 1])
    return np.unique(near[np.linspace(0, high - low, _BINS).astype(np.int64)])
