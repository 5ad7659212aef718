"""Lines through measured points: repeats by their median, invalid trials beside, bounds marked."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.charts.scales import FLOOR_MS
from analysis.charts.style import MUTED, colour
from analysis.trials.curves import with_gaps
from results.terms import Stream


@dataclass(frozen=True)
class LineStyle:
    """How a series is drawn."""

    colour: str
    line: str | tuple[int, tuple[float, ...]] = "-"
    marker: str = "o"
    width: float = 1.6


_RATES: Final = ("offered_per_s", "rho")
"""columns on whose axes a line may not cross what nobody measured"""
_BYSTANDERS: Final = {
    Stream.PING: LineStyle("#8A8A8A", "-", "s", 1.4),
    Stream.PING_SYNC: LineStyle("#444444", (0, (4, 1.2)), "D", 1.4),
    Stream.PING_DB: LineStyle("#A86F00", (0, (1, 1)), "^", 1.4),
}


def stream_style(stream: Stream, strategy: str) -> LineStyle:
    """Return how a stream of requests is drawn: tasks in the strategy's colour, bystanders in others."""
    return _BYSTANDERS.get(stream) or LineStyle(colour(strategy), "-", "o", 2.0)


def median_line(rows: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return the valid rows' median of y at each x, sorted, with NaN where an axis of rates has gaps."""
    valid = rows.loc[rows["valid"].astype(bool), [x, y]].dropna()
    return _opened(valid.groupby(x)[y].median().reset_index(), x)


def _opened(points: pd.DataFrame, x: str) -> pd.DataFrame:
    return with_gaps(points, x) if x in _RATES else points


def percentile_series(
    ax: Axes, rows: pd.DataFrame, x: str, name: str, look: LineStyle
) -> tuple[float, float] | None:
    """Draw `name`'s p99 bold with its interval and p50 thin; return the end of the p99 line, if any."""
    rows = rows[[x, "valid", *(column for column in rows if str(column).startswith(f"{name}_p"))]]
    p99 = median_line(rows, x, f"{name}_p99_ms")
    p50 = median_line(rows, x, f"{name}_p50_ms")
    ax.plot(
        p50[x],
        _floor(p50[f"{name}_p50_ms"]),
        color=look.colour,
        linewidth=0.8,
        alpha=0.6,
        linestyle=look.line,
    )
    ax.plot(
        p99[x],
        _floor(p99[f"{name}_p99_ms"]),
        color=look.colour,
        linewidth=look.width,
        linestyle=look.line,
        marker=look.marker,
        markersize=3.5,
    )
    _interval(ax, rows, x, name, look.colour)
    _bounds(ax, rows, x, name, look.colour)
    crosses(ax, rows, x, f"{name}_p99_ms")
    if p99.empty:
        return None
    return float(p99[x].iloc[-1]), float(_floor(p99[f"{name}_p99_ms"]).iloc[-1])


def crosses(ax: Axes, rows: pd.DataFrame, x: str, y: str, floor: float = FLOOR_MS) -> None:
    """Draw what invalid trials gave as crosses, outside every line."""
    invalid = rows[~rows["valid"].astype(bool)].dropna(subset=[y])
    if len(invalid):
        ax.plot(
            invalid[x], invalid[y].clip(lower=floor), linestyle="none", marker="x", markersize=5, color=MUTED
        )


def _interval(ax: Axes, rows: pd.DataFrame, x: str, name: str, ink: str) -> None:
    low, high = f"{name}_p99_low_ms", f"{name}_p99_high_ms"
    if low not in rows:
        return
    found = rows[rows["valid"].astype(bool)].groupby(x).agg({low: "min", high: "max"}).dropna()
    if len(found) > 1:
        band = _opened(found.reset_index(), x)
        ax.fill_between(band[x], _floor(band[low]), _floor(band[high]), color=ink, alpha=0.15, linewidth=0)


def _bounds(ax: Axes, rows: pd.DataFrame, x: str, name: str, ink: str) -> None:
    flags = rows[rows["valid"].astype(bool) & rows[f"{name}_p99_at_least"].astype(bool)]
    if len(flags):
        ax.plot(
            flags[x],
            _floor(flags[f"{name}_p99_ms"]) * 1.35,
            linestyle="none",
            marker=6,
            markersize=5,
            color=ink,
        )


def _floor(values: pd.Series) -> pd.Series:
    return values.clip(lower=FLOOR_MS)


def top_of(rows: pd.DataFrame, columns: list[str]) -> float:
    """Return the greatest finite value of the columns; 1 where there is none."""
    values = rows[columns].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else 1.0
