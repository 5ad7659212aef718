"""Memory over the hours of a long run: who grows, and whether the harness itself does."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, axis_names, end_labels, head, make_grid, shape_for
from analysis.charts.parts import conditions_of
from analysis.charts.scales import linear_axis
from analysis.charts.style import ROLE_COLOURS, colour
from analysis.format import number
from analysis.order import subjects
from analysis.trials.derive import Derived
from results.terms import SOAK

_LINES: Final = {
    "web": ("web_rss_mib", ROLE_COLOURS["web"]),
    "worker": ("worker_rss_mib", ROLE_COLOURS["worker"]),
    "broker data": ("broker_used_mib", ROLE_COLOURS["broker"]),
    "generator": ("generator_rss_mib", "#8A8A8A"),
    "harness": ("harness_rss_mib", "#444444"),
}
"""by name: the column of the summary, and its colour"""


def soak(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw each role's greatest memory in every chunk of a long run; a panel a subject.

    `rows` are those of a summary with one kind, duration and topology.
    """
    chosen = list(subjects(rows))
    shape = shape_for(len(chosen), right=1.0)
    figure, axes = make_grid(len(chosen), shape, words)
    for ax, (strategy, variant, own) in zip(axes, chosen, strict=True):
        chunks = own.sort_values("repeat")
        minutes = np.cumsum(chunks["load_s"].to_numpy(float)) / 60
        _memory(ax, minutes, chunks)
        rate = number(float(chunks["offered_per_s"].median()))
        head(ax, f"{strategy} · {variant}", f"{rate}/s, {len(chunks)} chunks", colour(strategy))
    axis_names(axes, shape.columns, "minutes of load", "MiB")
    return figure


def _memory(ax: Axes, minutes: "np.ndarray", chunks: pd.DataFrame) -> None:
    labels = []
    top = 1.0
    for name, (column, shade) in _LINES.items():
        values = chunks[column].to_numpy(float)
        if not np.isfinite(values).any():
            continue
        ax.plot(minutes, values, color=shade, linewidth=1.4, marker="o", markersize=2.5)
        labels.append((float(minutes[-1]), float(values[np.isfinite(values)][-1]), name, shade))
        top = max(top, float(np.nanmax(values)))
    linear_axis(ax, top)
    ax.set_xlim(0, float(minutes[-1]))
    end_labels(ax, labels)


def _parts(derived: Derived) -> "list[Part]":
    return list(conditions_of(derived, derived.summary[derived.summary["scenario"] == SOAK]))


def _words(part: Part) -> Caption:
    subtitle = f"{part.about} · the greatest resident set in each chunk; broker data: what its server says"
    return Caption(
        SOAK_CHART.title, subtitle, conditions(part.tables.manifest, part.rows, invalid_are="drawn alike")
    )


SOAK_CHART: Final = Entry(
    name="soak",
    title="What grows in hours",
    parts=_parts,
    words=_words,
    draw=lambda part, words: soak(part.rows, words),
)
