"""What a task's duration does to the answer: at which rate each subject gives way, one panel a question."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.charts import told
from analysis.charts.conditions import conditions
from analysis.charts.crowd import COLUMNS, crowded, draw_panels, make_panels
from analysis.charts.direct_labels import End, label_ends
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Box, Caption, head, make_figure
from analysis.charts.parts import points_by_kind
from analysis.charts.scales import duration_axis, log_axis, padded, span
from analysis.charts.style import INK, MUTED
from analysis.charts.subjects import Drawing, Drawn, looks_of
from analysis.charts.tags import tag
from analysis.format import milliseconds
from analysis.order import subjects
from analysis.trials.ceilings import ceilings
from analysis.trials.endings import Ending
from analysis.trials.questions import QUESTIONS, SATURATION

Floats = npt.NDArray[np.float64]

_PANEL_IN: Final = (3.9, 3.4)
_NAMES_IN: Final = 1.75
_LEFT_IN: Final = 0.72
_TOP_IN: Final = 0.48
_GAP_IN: Final = 0.8
_ACROSS: Final = 2
_DODGE: Final = 0.012
"""how far marks of one duration stand apart, as a share of the axis"""
_SHARE: Final = 0.6
"""of the way to the next duration, that all marks of one may take"""
_NEAR: Final = 0.7
_ARROW: Final = 0.035
"""how far an arrow stands from its mark, as a share of the axis"""
_DOTTED: Final = (0, (1, 1.6))
_FOUND: Final[dict[str, Any]] = {"linestyle": "-", "linewidth": 1.8}
_UNFINISHED: Final[dict[str, Any]] = {"linestyle": (0, (2.5, 2.5)), "linewidth": 0.9}
_EDGES: Final = (
    "A mark stands at the highest rate that held, a bar reaches from it to the lowest that failed, thin and "
    "dashed where the search stopped on its way; marks of one duration stand side by side, and lines join "
    "those whose search was finished"
)
_SHAKY: Final = "Shaky: repeats disagree, a margin of error crosses the limit, or no long trial confirmed it"


@dataclass(frozen=True)
class _Mark:
    """One point of the table on the axes: where it stands, and to where its bar reaches."""

    at_ms: float
    per_s: float
    high_per_s: float
    tip: str
    """`^` where nothing failed above it, `v` where nothing held below; empty where both ends are known"""
    finished: bool
    """both ends are known, as closely as was asked for or nearly so"""
    shaky: bool
    told: str


def frontier(points: pd.DataFrame, words: Caption, limits: pd.DataFrame) -> Figure:
    """Draw where every question is answered against the task's duration, all subjects on one pair of axes.

    `points` are rows of `trials.points.find_points` with one kind and topology, `limits` those of
    `trials.ceilings.ceilings`. A hollow mark is shaky.
    """
    asked = [question for question in QUESTIONS.values() if question.name in set(points["question"])]
    width, height = _PANEL_IN[0] + _NAMES_IN + _LEFT_IN, _PANEL_IN[1] + _GAP_IN
    rows = math.ceil(len(asked) / _ACROSS)
    boxes = [
        Box(_LEFT_IN + column * width, _TOP_IN + row * height, *_PANEL_IN)
        for row, column in (divmod(place, _ACROSS) for place in range(len(asked)))
    ]
    size = min(len(asked), _ACROSS) * width, _TOP_IN + rows * height - _GAP_IN
    figure, axes = make_figure(boxes, *size, words, _key())
    looks, limit = looks_of(points), milliseconds(points["limit_ms"].iloc[0])
    for ax, question in zip(axes, asked, strict=True):
        _rate_axes(ax, points)
        head(ax, f"Where {question.words}", (question.criterion or question.meaning).format(limit=limit), INK)
        if question.name == SATURATION:
            _ceilings(ax, limits)
        _question(ax, points[points["question"] == question.name], looks)
        ax.set_xlabel("duration of a task", fontsize=8)
    axes[0].set_ylabel("arrival rate (tasks/s)", fontsize=8)
    return figure


def frontier_by_strategy(points: pd.DataFrame, words: Caption, limits: pd.DataFrame) -> Figure:
    """Draw the same, a panel a strategy and question: for more subjects than one panel can hold."""
    asked = [question for question in QUESTIONS.values() if question.name in set(points["question"])]
    figure, blocks = make_panels(points, words, _key(), len(asked))
    looks = {key: replace(look, name=key[1]) for key, look in looks_of(points).items()}
    for panels, question in zip(blocks, asked, strict=True):
        own = points[points["question"] == question.name]

        def draw(ax: Axes, rows: pd.DataFrame, *, laws: bool = question.name == SATURATION) -> None:
            if laws and len(rows):
                _ceilings(ax, limits[limits["strategy"] == rows["strategy"].iloc[0]])
            _question(ax, rows, {key: looks[key] for key in looks if key[0] in set(rows["strategy"])})

        draw_panels(panels, own, partial(_rate_axes, points=points), draw, _curves)
        for ax in list(panels.values())[::COLUMNS]:
            ax.set_ylabel(f"{question.words} (tasks/s)", fontsize=7.5)
    return figure


def _rate_axes(ax: Axes, points: pd.DataFrame) -> None:
    low, high = span(points[["held_per_s", "failed_per_s"]].to_numpy().ravel())
    room = max((high / low) ** 0.1, 1.6)
    duration_axis(ax, sorted(set(points["duration_ms"])))
    log_axis(ax, low / room, high * room, "y", time=False, limit=8)


def _curves(points: pd.DataFrame) -> Iterator[tuple[Floats, Floats]]:
    """Yield every subject's answers as a line."""
    for _, _, own in subjects(points):
        yield _joined(own, 1.0)


def _question(ax: Axes, points: pd.DataFrame, looks: Drawing) -> None:
    """Draw every subject's answers to one question."""
    ends, seen = list[End](), list[tuple[float, float]]()
    step = _step(ax, sorted(set(points["duration_ms"])), len(looks))
    for place, (strategy, variant, own) in enumerate(subjects(points)):
        look = looks[strategy, variant]
        aside = step ** (place - (len(looks) - 1) / 2)
        marks = list(_marks(own, aside))
        _draw(ax, marks, _joined(own, aside), look)
        seen += [(mark.at_ms, mark.per_s) for mark in marks]
        ends += [
            End(mark.at_ms, mark.per_s, look.name, look.colour, subject=look.subject) for mark in marks[-1:]
        ]
    label_ends(ax, ends, seen, beyond=_NEAR)


def _step(ax: Axes, durations_ms: list[float], count: int) -> float:
    """Return the factor between neighbouring marks of one duration, of so many as there are subjects."""
    left, right = ax.get_xlim()
    apart = min((b / a for a, b in itertools.pairwise(durations_ms)), default=right / left)
    return float(min((right / left) ** _DODGE, apart ** (_SHARE / count)))


def _marks(rows: pd.DataFrame, aside: float) -> Iterator[_Mark]:
    for row in rows.sort_values("duration_ms").to_dict("records"):
        held, failed = float(row["held_per_s"]), float(row["failed_per_s"])
        known = held if math.isfinite(held) else failed
        if not math.isfinite(known):
            continue
        tip = "v" if math.isnan(held) else "^" if math.isnan(failed) else ""
        yield _Mark(
            float(row["duration_ms"]) * aside,
            known,
            known if tip else failed,
            tip,
            not tip and not Ending(row["ending"]).open,
            bool(row["shaky"]),
            told.of_point({str(name): value for name, value in row.items()}),
        )


def _joined(rows: pd.DataFrame, aside: float) -> tuple[Floats, Floats]:
    """Return what a line joins: NaN, which interrupts it, where nothing was found or not finished."""
    finished = {mark.at_ms: mark.per_s for mark in _marks(rows, aside) if mark.finished}
    at = np.sort(rows["duration_ms"].to_numpy(float)) * aside
    return at, np.array([finished.get(each, math.nan) for each in at])


def _draw(ax: Axes, marks: list[_Mark], joined: tuple[Floats, Floats], look: Drawn) -> None:
    bottom, top = ax.get_ylim()
    away = (top / bottom) ** _ARROW
    plain: dict[str, Any] = {"color": look.colour, "linestyle": "none"}
    drawn = ax.plot(
        *joined, color=look.colour, linestyle=look.line, linewidth=1.0, alpha=0.6, label=look.name
    )
    for mark in marks:
        x = mark.at_ms
        drawn += _bar(ax, mark, look)
        if mark.tip:
            end = mark.per_s * (away if mark.tip == "^" else 1 / away)
            drawn += ax.plot([x], [end], marker=mark.tip, markersize=3.5, label=f"{look.name}: open", **plain)
        face = "white" if mark.shaky else look.colour
        (point,) = ax.plot(
            [x],
            [mark.per_s],
            marker=look.marker,
            markersize=4.5,
            markerfacecolor=face,
            label=f"{look.name}: point",
            zorder=3,
            **plain,
        )
        tag(point, look.subject, [mark.told])
    for artist in drawn:
        tag(artist, look.subject)


def _bar(ax: Axes, mark: _Mark, look: Drawn) -> list[Line2D]:
    """Draw from the rate that held to the one that failed; what nobody tried between looks like no line."""
    if mark.tip:
        return []
    what, style = ("interval", _FOUND) if mark.finished else ("unfinished", _UNFINISHED)
    ends = [mark.at_ms] * 2, [mark.per_s, mark.high_per_s]
    return ax.plot(*ends, color=look.colour, label=f"{look.name}: {what}", **style)


def _ceilings(ax: Axes, limits: pd.DataFrame) -> None:
    """Draw every law once, however many subjects have it."""
    drawn: set[tuple[float, ...]] = set()
    for _, _, own in subjects(limits):
        law = tuple(own["ceiling_per_s"].round(3))
        if law not in drawn:
            drawn.add(law)
            ax.plot(
                own["duration_ms"],
                own["ceiling_per_s"],
                color=MUTED,
                linestyle=_DOTTED,
                linewidth=1.1,
                label="ceiling",
                zorder=1.5,
            )


def _key() -> list[Artist]:
    plain: dict[str, Any] = {"color": INK, "linestyle": "none"}
    return [
        Line2D([], [], marker="|", markersize=11, label="interval: held to failed", **plain),
        Line2D([], [], color=INK, label="the same, unfinished", **_UNFINISHED),
        Line2D([], [], marker="^", markersize=4, label="held at every rate tried", **plain),
        Line2D([], [], marker="v", markersize=4, label="failed at the lowest rate", **plain),
        Line2D([], [], marker="o", markerfacecolor="white", label="shaky", **plain),
        Line2D([], [], color=MUTED, linestyle=_DOTTED, label="ceiling in theory"),
    ]


def _words(part: Part) -> Caption:
    subtitle = f"{part.about} · below a mark each way carries on, above its bar it gives way"
    caption = conditions(part.tables.manifest, part.trials, _EDGES, _SHAKY, invalid_are="left out")
    return Caption(FRONTIER.title, subtitle, caption)


def _drawn(part: Part, words: Caption) -> Figure:
    reach_ms = padded(part.rows["duration_ms"])
    draw = frontier_by_strategy if crowded(part.rows) else frontier
    return draw(part.rows, words, ceilings(part.tables.manifest, part.rows, reach_ms))


def _compares(part: Part) -> bool:
    """Say whether a subject has answers at several durations: more than two where there are many subjects."""
    found = part.rows.dropna(subset=["held_per_s", "failed_per_s"], how="all")
    least = 3 if crowded(part.rows) else 2
    return bool((found.groupby(["strategy", "variant"])["duration_ms"].nunique() >= least).any())


FRONTIER: Final = Entry(
    name="frontier",
    title="What longer tasks do to the answer",
    parts=points_by_kind,
    words=_words,
    draw=_drawn,
    compares=_compares,
    first=True,
)
