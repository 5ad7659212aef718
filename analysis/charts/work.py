"""Whether the work keeps up: throughput against load, and how long tasks wait for a slot."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, axis_names, ceiling_line, end_labels, head, make_grid, shape_for
from analysis.charts.parts import CEILING, PERCENTILES, bounds, by_condition
from analysis.charts.scales import FLOOR_MS, linear_axis, log_axis, rate_axis, span
from analysis.charts.series import LineStyle, crosses, median_line, percentile_series, top_of
from analysis.charts.style import MUTED, colour, variant_style
from analysis.format import number
from analysis.order import order, subjects
from analysis.trials.curves import has_curve

_NAMED: Final = 2
"""variants that find room above a panel with a ceiling each"""


def throughput(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw tasks completed a second against tasks offered, one panel a strategy, its variants together.

    `rows` are those of a summary with one kind, duration and topology. The thin diagonal is work that
    keeps up, on axes of one scale; the dash-dotted level is a variant's ceiling.
    """
    strategies = sorted(set(rows["strategy"]), key=order)
    shape = shape_for(len(strategies))
    figure, axes = make_grid(len(strategies), shape, words)
    low, high = span(rows["offered_per_s"])
    for ax, strategy in zip(axes, strategies, strict=True):
        own = rows[rows["strategy"] == strategy]
        rate_axis(ax, rows["offered_per_s"])
        if ax.get_xscale() == "log":
            log_axis(ax, low / 2, high * 1.4, "y", time=False, limit=6)
        else:
            linear_axis(ax, high * 1.3)
        ax.plot([low / 2, high * 2], [low / 2, high * 2], color=MUTED, linewidth=0.7, label="keeps up")
        labels = []
        for _, variant, mine in subjects(own):
            line, marker = variant_style(variant)
            ceiling = mine["ceiling_per_s"].iloc[0]
            if np.isfinite(ceiling):
                ceiling_line(ax, ceiling, horizontal=True)
            points = median_line(mine, "offered_per_s", "completed_per_s")
            crosses(ax, mine, "offered_per_s", "completed_per_s", floor=low / 2)
            if len(points):
                drawn = points["completed_per_s"].clip(lower=low / 2)
                ax.plot(
                    points["offered_per_s"],
                    drawn,
                    color=colour(strategy),
                    linestyle=line,
                    marker=marker,
                    markersize=3.5,
                    linewidth=1.6,
                )
                labels.append((points["offered_per_s"].iloc[-1], drawn.iloc[-1], variant, colour(strategy)))
        head(ax, strategy, _ceilings(own), colour(strategy))
        end_labels(ax, labels)
    axis_names(axes, shape.columns, "offered (tasks/s)", "completed (tasks/s)")
    return figure


def queue_wait(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw how long accepted tasks wait for a slot against the rate, one panel a strategy."""
    strategies = sorted(set(rows["strategy"]), key=order)
    shape = shape_for(len(strategies))
    figure, axes = make_grid(len(strategies), shape, words)
    top = max(top_of(rows, ["queue_wait_p99_ms"]), 100) * 2
    for ax, strategy in zip(axes, strategies, strict=True):
        own = rows[rows["strategy"] == strategy]
        rate_axis(ax, rows["offered_per_s"])
        log_axis(ax, FLOOR_MS * 0.8, top, "y", time=True)
        labels = []
        for _, variant, mine in subjects(own):
            line, marker = variant_style(variant)
            ceiling = mine["ceiling_per_s"].iloc[0]
            if np.isfinite(ceiling):
                ceiling_line(ax, ceiling)
            end = percentile_series(
                ax, mine, "offered_per_s", "queue_wait", LineStyle(colour(strategy), line, marker)
            )
            if end:
                labels.append((*end, variant, colour(strategy)))
        head(ax, strategy, _ceilings(own), colour(strategy))
        end_labels(ax, labels)
    axis_names(axes, shape.columns, "arrival rate (tasks/s)", "wait for a slot")
    return figure


def _ceilings(own: pd.DataFrame) -> str:
    """Return the ceiling of each variant in words, of many variants only which ceilings there are."""
    found = {variant: float(mine["ceiling_per_s"].iloc[0]) for _, variant, mine in subjects(own)}
    told = {variant: f"{number(each)}/s" if np.isfinite(each) else "none" for variant, each in found.items()}
    if len(told) > _NAMED:
        return "ceilings: " + ", ".join(dict.fromkeys(told.values()))
    return "ceiling: " + ", ".join(f"{variant} {each}" for variant, each in told.items())


def _throughput(part: Part) -> Caption:
    subtitle = f"{part.about} · on the diagonal the work keeps up"
    return Caption(THROUGHPUT.title, subtitle, conditions(part.tables.manifest, part.rows, CEILING))


def _queue_wait(part: Part) -> Caption:
    subtitle = f"{part.about} · from accepted to started, {PERCENTILES}"
    notes = (CEILING, bounds(part.rows, "queue_wait"))
    return Caption(QUEUE_WAIT.title, subtitle, conditions(part.tables.manifest, part.rows, *notes))


THROUGHPUT: Final = Entry(
    name="throughput",
    title="Where the work falls behind",
    parts=by_condition,
    words=_throughput,
    draw=lambda part, words: throughput(part.rows, words),
    compares=lambda part: has_curve(part.rows),
)
QUEUE_WAIT: Final = Entry(
    name="queue-wait",
    title="How long tasks wait for a slot",
    parts=by_condition,
    words=_queue_wait,
    draw=lambda part, words: queue_wait(part.rows, words),
    compares=lambda part: has_curve(part.rows),
)
