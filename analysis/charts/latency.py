"""Where the API starts to block: latency of accepting and of bystanders, against rate or duration."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import (
    Caption,
    axis_names,
    ceiling_line,
    end_labels,
    head,
    limit_line,
    make_grid,
    shape_for,
)
from analysis.charts.parts import (
    CEILING,
    PERCENTILES,
    SHADED,
    bounds,
    by_condition,
    few,
    in_a_name,
    open_loop,
    samples,
)
from analysis.charts.scales import FLOOR_MS, log_axis, rate_axis, span
from analysis.charts.series import percentile_series, stream_style, top_of
from analysis.charts.style import FAINT, colour
from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.trials.curves import has_curve
from analysis.trials.derive import Derived
from results.terms import Stream, pattern_of

_P99S: Final = [f"{stream.column}_p99_ms" for stream in Stream]


def latency_by_rate(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw the accept latency and the bystanders against the arrival rate, one panel a subject.

    `rows` are those of a summary with one kind, duration and topology.
    """
    panels = list(subjects(rows))
    shape = shape_for(len(panels))
    figure, axes = make_grid(len(panels), shape, words)
    limit_ms = float(rows["limit_ms"].iloc[0])
    top = max(top_of(rows, _P99S), limit_ms) * 2
    for number_, (ax, (strategy, variant, own)) in enumerate(zip(axes, panels, strict=True)):
        rate_axis(ax, rows["offered_per_s"])
        log_axis(ax, FLOOR_MS * 0.8, top, "y", time=True)
        limit_line(ax, limit_ms, named=number_ == 0)
        ceiling = own["ceiling_per_s"].iloc[0]
        if np.isfinite(ceiling):
            ceiling_line(ax, ceiling)
        head(ax, f"{strategy} · {variant}", limits(own), colour(strategy))
        _streams(ax, own, "offered_per_s", strategy)
    axis_names(axes, shape.columns, "arrival rate (tasks/s)", "latency from due time")
    return figure


def latency_by_duration(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw the same against the task's duration at one fixed rate; shaded where theory says saturated."""
    panels = list(subjects(rows))
    shape = shape_for(len(panels))
    figure, axes = make_grid(len(panels), shape, words)
    limit_ms = float(rows["limit_ms"].iloc[0])
    top = max(top_of(rows, _P99S), limit_ms) * 2
    low, high = span(rows["duration_ms"])
    for number_, (ax, (strategy, variant, own)) in enumerate(zip(axes, panels, strict=True)):
        log_axis(ax, low / 1.3, high * 1.3, "x", time=True, limit=5)
        log_axis(ax, FLOOR_MS * 0.8, top, "y", time=True)
        limit_line(ax, limit_ms, named=number_ == 0)
        saturated = saturation_duration(own)
        if saturated is not None:
            ax.axvspan(saturated, high * 1.3, color=FAINT, alpha=0.45, zorder=0, linewidth=0)
        detail = "no ceiling" if saturated is None else f"saturated above about {milliseconds(saturated)}"
        if saturated is None and own["rho"].notna().any():
            detail = "below its ceiling throughout"
        head(ax, f"{strategy} · {variant}", detail, colour(strategy))
        _streams(ax, own, "duration_ms", strategy)
    axis_names(axes, shape.columns, "duration of a task", "latency from due time")
    return figure


def limits(own: pd.DataFrame) -> str:
    """Return a subject's slots and ceiling in words."""
    slots, ceiling = int(own["slots"].iloc[0]), own["ceiling_per_s"].iloc[0]
    first = f"{number(slots)} slot{'s' * (slots != 1)}" if slots else "no bound"
    return f"{first} · " + (f"ceiling {number(ceiling)}/s" if np.isfinite(ceiling) else "no ceiling")


def saturation_duration(own: pd.DataFrame) -> float | None:
    """Return the duration at which rho passes 1, interpolated between the measured ones on a log scale."""
    known = own.drop_duplicates("duration_ms").dropna(subset=["rho"]).sort_values("duration_ms")
    above = known[known["rho"] >= 1]
    if above.empty:
        return None
    first, below = above.iloc[0], known[known["duration_ms"] < above["duration_ms"].iloc[0]]
    if below.empty:
        return float(first["duration_ms"])
    last = below.iloc[-1]
    share = np.log(1 / last["rho"]) / np.log(first["rho"] / last["rho"])
    return float(np.exp(np.interp(share, [0, 1], np.log([last["duration_ms"], first["duration_ms"]]))))


def _streams(ax: Axes, own: pd.DataFrame, x: str, strategy: str) -> None:
    labels = []
    for stream in Stream:
        style = stream_style(stream, strategy)
        end = percentile_series(ax, own, x, stream.column, style)
        if end:
            labels.append((*end, stream.latency, style.colour))
    end_labels(ax, labels)


def _by_rate(part: Part) -> Caption:
    subtitle = f"{part.about} · latency from the due time, {PERCENTILES}"
    notes = (CEILING, SHADED, f"Bystanders: {samples(part.rows)}", few(part.rows))
    unanswered = bounds(part.rows, *(stream.column for stream in Stream))
    return Caption(BY_RATE.title, subtitle, conditions(part.tables.manifest, part.rows, *notes, unanswered))


def _by_duration(part: Part) -> Caption:
    notes = ("Grey: saturated by theory", SHADED, f"Bystanders: {samples(part.rows)}", few(part.rows))
    subtitle = f"{part.about} · latency from the due time, {PERCENTILES}"
    return Caption(BY_DURATION.title, subtitle, conditions(part.tables.manifest, part.rows, *notes))


def _at_one_rate(derived: Derived) -> Iterator[Part]:
    """Yield the rows at a rate that was measured at several durations."""
    rows = at_durations(open_loop(derived))
    for (kind, rate, topology), own in rows.groupby(["kind", "offered_per_s", "topology"], sort=True):
        rate_per_s = float(str(rate))
        about = f"{kind} tasks at {number(rate_per_s)}/s, {topology}"
        yield Part(derived, own, f"{kind}-{in_a_name(rate_per_s)}-per-s-{topology}", about)


def at_durations(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of scenarios for an axis of durations, at rates that were measured at several."""
    fit = [pattern_of(str(name)).durations for name in summary["scenario"]]
    rows = summary[np.array(fit, bool)]
    key = ["strategy", "variant", "kind", "topology", "offered_per_s"]
    several = rows.groupby(key)["duration_ms"].transform("nunique") > 1
    return rows[several]


BY_RATE: Final = Entry(
    name="latency",
    title="One by one: the latency of every stream",
    parts=by_condition,
    words=_by_rate,
    draw=lambda part, words: latency_by_rate(part.rows, words),
    compares=lambda part: has_curve(part.rows),
)
BY_DURATION: Final = Entry(
    name="duration",
    title="What longer tasks do to the API",
    parts=_at_one_rate,
    words=_by_duration,
    draw=lambda part, words: latency_by_duration(part.rows, words),
)
