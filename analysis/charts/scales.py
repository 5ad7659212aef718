"""Axes that a reader can read: logarithmic where the range asks for it, plain numbers with units."""

import math
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from analysis.format import milliseconds, number

FLOOR_MS = 0.1
"""shorter times are drawn here on a logarithmic axis"""
_NAMES = 6
"""as many times find room below a panel"""


def span(values: Iterable[float]) -> tuple[float, float]:
    """Return the least and greatest of the positive finite values; (1, 10) where there are none."""
    kept = [value for value in values if math.isfinite(value) and value > 0]
    return (min(kept), max(kept)) if kept else (1.0, 10.0)


def rate_axis(ax: Axes, values: Iterable[float]) -> None:
    """Set the x axis for rates: logarithmic where they span more than a factor of 8."""
    low, high = span(values)
    if high / low > 8:
        ax.set_xscale("log")
        ax.set_xlim(low / 1.25, high * 1.25)
        _fix(ax, ticks(*ax.get_xlim(), limit=6), number, "x")
    else:
        ax.set_xlim(0, high * 1.1)
        _fix(ax, even_ticks(high * 1.1), number, "x")


def duration_axis(ax: Axes, durations_ms: list[float]) -> None:
    """Set a logarithmic x axis that names the measured durations, with room beside the first and last."""
    low, high = padded(durations_ms)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    _fix(ax, thinned(durations_ms, math.log(high / low) / _NAMES), milliseconds, "x")


def padded(durations_ms: Iterable[float]) -> tuple[float, float]:
    """Return the range of an axis of durations."""
    low, high = span(durations_ms)
    beside = max((high / low) ** 0.14, 1.6)
    return low / beside, high * beside


def thinned(values: list[float], apart: float) -> list[float]:
    """Return those values, the first one first, whose logarithms are at least that far apart."""
    kept: list[float] = []
    for value in sorted(values):
        if not kept or math.log(value / kept[-1]) >= apart:
            kept.append(value)
    return kept


def log_axis(ax: Axes, low: float, high: float, which: str, *, time: bool, limit: int = 7) -> None:
    """Set a logarithmic axis over [low, high]; `time` values are in ms."""
    (ax.set_yscale if which == "y" else ax.set_xscale)("log")
    (ax.set_ylim if which == "y" else ax.set_xlim)(low, high)
    _fix(ax, ticks(low, high, limit), milliseconds if time else number, which)


def linear_axis(ax: Axes, high: float, *, unit: str = "", count: int = 4) -> None:
    """Set a linear y axis from 0 to a little over `high`."""
    top = high * 1.08 if high > 0 else 1.0
    ax.set_ylim(0, top)
    _fix(ax, even_ticks(top, count), lambda value: f"{number(value)}{unit}", "y")


def ticks(low: float, high: float, limit: int) -> list[float]:
    """Return ticks for a logarithmic axis: 1-2-5 a decade, or only whole decades, at most about `limit`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**d for d in decades for m in steps if low <= m * 10.0**d <= high]
        if 2 <= len(found) <= limit:
            return found
    every = max(1, math.ceil(len(decades) / limit))
    return [10.0**d for d in decades if low <= 10.0**d <= high][::every]


def even_ticks(high: float, count: int = 4) -> list[float]:
    """Return round ticks from 0 to at most `high`."""
    raw = high / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    return [step * i for i in range(int(high / step + 1e-9) + 1)]


def _fix(ax: Axes, places: list[float], words: object, which: str) -> None:
    axis = ax.yaxis if which == "y" else ax.xaxis
    assert callable(words)
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter([words(place) for place in places]))
    axis.set_minor_locator(NullLocator())
