"""Percentiles, censored ones too, and how far they can be trusted."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REPLICATES = 400
CONFIDENCE = 0.95
_STARTS = 256
_BINS = 512


@dataclass(frozen=True)
class Percentile:
    """One percentile of a sample in the sample's own unit."""

    value: float
    """NaN for an empty sample"""
    at_least: bool = False
    """the true value may be higher: a request that never ended lies at or below it with its bound"""


def percentile(values: Floats, p: float) -> float:
    """Return the smallest sample that at least p % of the samples do not exceed; NaN of an empty sample.

    This is the inverse of the empirical distribution (Hyndman and Fan's type 1): always a value that was
    measured, never one interpolated across a gap.
    """
    return (
        float(np.partition(values, _rank(len(values), p))[_rank(len(values), p)]) if len(values) else np.nan
    )


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
    n = len(values)
    if n < 20:
        return np.nan, np.nan
    length = block_length(n)
    edges = _edges(values, p)
    starts = np.unique(np.linspace(0, n - length, _STARTS).astype(np.int64))
    place = np.searchsorted(edges, values, side="left").astype(np.int64)
    blocks = place[starts[:, None] + np.arange(length)]
    width = len(edges) + 1
    flat = (blocks + np.arange(len(starts))[:, None] * width).ravel()
    counts = np.bincount(flat, minlength=len(starts) * width).reshape(len(starts), width)
    draws = np.random.default_rng(seed).multinomial(
        -(-n // length), np.full(len(starts), 1 / len(starts)), REPLICATES
    )
    share = np.cumsum(draws @ counts, axis=1)
    wanted = np.ceil(share[:, -1:] * (p / 100) - 1e-9)
    found = np.sort(edges[np.minimum((share < wanted).sum(axis=1), len(edges) - 1)])
    tail = (1 - CONFIDENCE) / 2 * 100
    return percentile(found, tail), percentile(found, 100 - tail)


def _rank(n: int, p: float) -> int:
    return max(0, int(np.ceil(n * p / 100 - 1e-9)) - 1)


def _edges(values: Floats, p: float) -> Floats:
    """Return up to `_BINS` sample values around the percentile: all of them where they are that few."""
    ordered = np.sort(values)
    n = len(ordered)
    margin = max(0.05 * n, 6 * n * (1 - p / 100), 1) if p > 50 else n
    low = max(0, int(_rank(n, p) - margin))
    high = min(n - 1, int(_rank(n, p) + margin))
    ranks = np.unique(np.linspace(low, high, _BINS).astype(np.int64))
    return np.unique(ordered[ranks])
