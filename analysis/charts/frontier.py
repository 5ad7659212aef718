"""The answer on one page: at which rate each strategy blocks and falls behind, for each task duration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, axis_names, head, make_grid, shape_for
from analysis.charts.parts import points_by_kind
from analysis.charts.scales import duration_axis, log_axis, padded, span
from analysis.charts.style import INK, colour
from analysis.format import milliseconds, number
from analysis.order import order, subjects
from analysis.trials.ceilings import ceilings
from analysis.trials.questions import QUESTIONS, Question

_DODGE: Final = 0.026
"""how far marks of one duration stand apart, as a share of the axis"""
_ARROW: Final = 0.09
"""length of an arrow, as a share of the axis"""
_ENOUGH: Final = 3
"""fewer points than these make no curve"""
_EDGES: Final = (
    "A bar reaches from the highest rate that held to the lowest that failed; "
    "marks of one duration stand side by side"
)
_SHAKY: Final = "Shaky: repeats disagree, a margin of error crosses the limit, or no long trial confirmed it"


@dataclass(frozen=True)
class _Mark:
    """One point of the table on the axes: where it stands, its interval, and which ends of it are open."""

    at_ms: float
    per_s: float
    low_per_s: float
    high_per_s: float
    up: bool
    down: bool
    shaky: bool

    @property
    def closed(self) -> bool:
        return not (self.up or self.down)


def frontier(points: pd.DataFrame, words: Caption, limits: pd.DataFrame) -> Figure:
    """Draw where every question is answered against the task's duration, one panel a strategy.

    `points` are rows of `trials.points.find_points` with one kind and topology, `limits` those of
    `trials.ceilings.ceilings`. A bar is an interval, an arrow one that is open at that end; a hollow mark
    is shaky.
    """
    found = points.dropna(subset=["held_per_s", "failed_per_s"], how="all")
    strategies = sorted(set(points["strategy"]), key=order)
    shape = shape_for(len(strategies), height=2.3, right=0.3)
    figure, axes = make_grid(len(strategies), shape, words, key=_key(set(points["variant"])))
    durations = sorted(set(points["duration_ms"]))
    low, high = span(found[["held_per_s", "failed_per_s"]].to_numpy().ravel())
    room = max((high / low) ** (1.6 * _ARROW), 2.0)
    for ax, strategy in zip(axes, strategies, strict=True):
        duration_axis(ax, durations)
        log_axis(ax, low / room, high * room, "y", time=False, limit=8)
        own = found[found["strategy"] == strategy]
        _ceilings(ax, limits[limits["strategy"] == strategy])
        every = points[points["strategy"] == strategy]
        head(ax, strategy, _slots(every) if len(own) else f"{_slots(every)} · no answer", colour(strategy))
        place = -(own.groupby(["variant", "question"]).ngroups - 1) / 2
        for _, variant, mine in subjects(own):
            for question, rows in mine.groupby("question", sort=True):
                marks = list(_marks(rows))
                _draw(ax, marks, QUESTIONS[str(question)], shade(strategy, variant), place)
                place += 1
    axis_names(axes, shape.columns, "duration of a task", "arrival rate (tasks/s)")
    return figure


def shade(strategy: str, variant: str) -> str:
    """Return a strategy's colour: pale for `default`, full for `tuned`, dark for others."""
    weight, other = {"default": (0.55, 1.0), "tuned": (1.0, 1.0)}.get(variant, (0.6, 0.0))
    red, green, blue = (weight * part + (1 - weight) * other for part in to_rgb(colour(strategy)))
    return to_hex((red, green, blue))


def _slots(rows: pd.DataFrame) -> str:
    each = [
        f"{variant} {number(slots) if (slots := int(own['slots'].iloc[0])) else 'unlimited'}"
        for _, variant, own in subjects(rows)
    ]
    return "slots: " + ", ".join(each)


def _marks(rows: pd.DataFrame) -> Iterator[_Mark]:
    for row in rows.sort_values("duration_ms").to_dict("records"):
        held, failed = float(row["held_per_s"]), float(row["failed_per_s"])
        up, down = bool(np.isnan(failed)), bool(np.isnan(held))
        low, high = (failed if down else held), (held if up else failed)
        middle = float(np.sqrt(low * high))
        yield _Mark(float(row["duration_ms"]), middle, low, high, up, down, bool(row["shaky"]))


def _ceilings(ax: Axes, limits: pd.DataFrame) -> None:
    for strategy, variant, own in subjects(limits):
        ax.plot(
            own["duration_ms"],
            own["ceiling_per_s"],
            color=shade(strategy, variant),
            linestyle=(0, (1, 1.6)),
            linewidth=1.3,
            label=f"{variant} ceiling",
            zorder=1.5,
        )


def _draw(ax: Axes, marks: list[_Mark], look: Question, ink: str, place: float) -> None:
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    aside = (right / left) ** (_DODGE * place)
    away = (top / bottom) ** _ARROW
    if len(marks) >= _ENOUGH:
        line = [mark.per_s if mark.closed else np.nan for mark in marks]
        ax.plot(
            [mark.at_ms * aside for mark in marks],
            line,
            color=ink,
            linestyle=look.line,
            linewidth=1.6,
            label=f"{look.words}: curve",
        )
    for mark in marks:
        x = mark.at_ms * aside
        low = mark.low_per_s / (away if mark.down else 1)
        high = mark.high_per_s * (away if mark.up else 1)
        ax.plot([x, x], [low, high], color=ink, linewidth=1.8, label=f"{look.words}: interval")
        if not mark.closed:
            end, tip = (high, "^") if mark.up else (low, "v")
            ax.plot([x], [end], color=ink, marker=tip, markersize=4.5, label=f"{look.words}: open")
        ax.plot(
            [x],
            [mark.per_s],
            color=ink,
            marker=look.marker,
            markersize=look.marker_size,
            markerfacecolor="white" if mark.shaky else ink,
            label=f"{look.words}: point",
            zorder=3,
        )


def _key(variants: set[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=INK, linestyle=q.line, marker=q.marker, markersize=q.marker_size, label=q.words)
        for q in QUESTIONS.values()
    ]
    handles.append(Line2D([], [], color=INK, linestyle=(0, (1, 1.6)), label="ceiling in theory"))
    plain = {"color": INK, "linestyle": "none"}
    handles += [
        Line2D([], [], marker="|", markersize=11, label="interval: held to failed", **plain),  # type: ignore[arg-type]
        Line2D([], [], marker="^", label="held at every rate", **plain),  # type: ignore[arg-type]
        Line2D([], [], marker="v", label="failed at the lowest rate", **plain),  # type: ignore[arg-type]
        Line2D([], [], marker="o", markerfacecolor="white", label="shaky", **plain),  # type: ignore[arg-type]
    ]
    tones = {"default": "pale: default", "tuned": "full: tuned"}
    handles += [
        Line2D([], [], color=shade("background_tasks", v), linewidth=5, label=tones.get(v, f"dark: {v}"))
        for v in sorted(variants)
    ]
    return handles


def _words(part: Part) -> Caption:
    limit = milliseconds(part.tables.manifest.limit_ms)
    rules = [f"{q.words} where {q.criterion.format(limit=limit)}" for q in QUESTIONS.values() if q.criterion]
    caption = conditions(part.tables.manifest, part.trials, _EDGES, _SHAKY, invalid_are="left out")
    return Caption(FRONTIER.title, " · ".join([part.about, *rules]), caption)


def _unfit(part: Part) -> str:
    unanswered = part.rows[["held_per_s", "failed_per_s"]].isna().all(axis=None)
    return f"{part.about}: no trial is valid" if unanswered else ""


def _drawn(part: Part, words: Caption) -> Figure:
    reach_ms = padded(part.rows["duration_ms"])
    return frontier(part.rows, words, ceilings(part.tables.manifest, part.rows, reach_ms))


FRONTIER: Final = Entry(
    name="frontier",
    title="Where each strategy gives way",
    parts=points_by_kind,
    words=_words,
    draw=_drawn,
    unfit=_unfit,
    first=True,
)
