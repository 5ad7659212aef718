"""The answer as one picture: how far each subject carries, for every duration of a task."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

from analysis.charts import told
from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, make_grid
from analysis.charts.parts import points_by_kind
from analysis.charts.scales import log_axis, span
from analysis.charts.style import INK, MUTED, STATES, colour
from analysis.charts.tags import tag
from analysis.format import milliseconds
from analysis.trials.points import by_question, edges
from analysis.trials.questions import BLOCKING, QUESTIONS
from analysis.trials.ranking import ranked
from analysis.trials.stretches import Edge, State, Stretch, edges_of, stretches, theory_per_s

_WIDTHS_IN: Final = {1: 6.2, 2: 4.2}
_NARROW_IN: Final = 3.05
_ROW_IN: Final = 0.34
_CLOSE_ROW_IN: Final = 0.28
_MANY_ROWS: Final = 16
_LETTER_IN: Final = 0.062
_TITLE_IN: Final = 0.26
_BAR: Final = 0.12
"""how far below a row's middle its bar lies; its numbers stand above"""
_NUMBERS: Final = 0.3
_APART_IN: Final = 0.08
"""between two numbers of one row; where there is less room, only the first is written"""
_TICK: Final = 0.29
_TALL: Final = 0.8
"""of what can be asked in a row"""
_THEORY: Final[dict[str, Any]] = {"color": INK, "linewidth": 1.1, "linestyle": (0, (1.5, 1))}
_THIN: Final = 0.008
"""half the width of a stretch that is one rate, as a share of the axis: it is to be seen"""
_SAME: Final = 1.15
"""two rates of theory closer than this factor are one tick"""
_CORE_FULL: Final = "▲"
_MEANS: Final = (
    "Filled only from the lowest to the highest rate tried; a number is the highest rate that held, "
    "“>” where nothing failed above it. Sorted by where the first thing goes wrong"
)


def reach(points: pd.DataFrame, trials: pd.DataFrame, words: Caption) -> Figure:
    """Draw the stretches of every subject, one row each, one panel a duration.

    `points` are rows of `trials.points.find_points` with one kind and topology, `trials` the rows of the
    summary that they were made from.
    """
    valid = trials[trials["valid"].astype(bool)]
    durations = sorted(set(points["duration_ms"]))
    named = ranked(points)
    columns = {4: 2}.get(len(durations), min(len(durations), 3))
    width = _WIDTHS_IN.get(columns, _NARROW_IN)
    left = 0.3 + _LETTER_IN * max(len(_name(*subject)) for subject in named)
    row_in = _CLOSE_ROW_IN if len(named) > _MANY_ROWS else _ROW_IN
    shape = Shape(columns, width, row_in * (len(named) + 0.2), right=0.25, left=left, above=_TITLE_IN)
    marked = "core_bound" in points and (points["core_bound"].fillna("") != "").any()
    figure, axes = make_grid(len(durations), shape, words, key=_key(core_full=bool(marked)))
    low, high = span(valid["offered_per_s"])
    room = max((high / low) ** 0.06, 1.3)
    for place, (ax, duration_ms) in enumerate(zip(axes, durations, strict=True)):
        log_axis(ax, low / room, high * room, "x", time=False, limit=7)
        _frame(ax, f"tasks of {milliseconds(duration_ms)}", named, leftmost=place % columns == 0)
        for row, (strategy, variant) in enumerate(named):
            mine = _of(points, strategy, variant, duration_ms)
            if len(mine):
                tried = sorted(set(_of(valid, strategy, variant, duration_ms)["offered_per_s"]))
                others = set(ax.get_children())
                _draw(ax, row, by_question(mine), tried, width)
                for artist in set(ax.get_children()) - others:
                    tag(artist, f"{strategy}/{variant}")
                _ask(ax, row, by_question(mine), tried)
    for ax in axes[-columns:]:
        ax.set_xlabel("arrival rate (tasks/s)", fontsize=8)
    return figure


def _of(rows: pd.DataFrame, strategy: str, variant: str, duration_ms: float) -> pd.DataFrame:
    same = (rows["strategy"] == strategy) & (rows["variant"] == variant)
    return rows[same & (rows["duration_ms"] == duration_ms)]


def _name(strategy: str, variant: str) -> str:
    return f"{strategy} · {variant}"


def _frame(ax: Axes, title: str, named: Sequence[tuple[str, str]], *, leftmost: bool) -> None:
    ax.set_ylim(len(named) - 0.5, -0.7)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.annotate(
        title,
        (0, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        fontweight="bold",
        color=INK,
    )
    ax.set_yticks(range(len(named)), [_name(*subject) if leftmost else "" for subject in named])
    for label, (strategy, variant) in zip(ax.get_yticklabels(), named, strict=True):
        label.set(color=colour(strategy), fontweight="bold")
        tag(label, f"{strategy}/{variant}")


def _draw(
    ax: Axes, row: int, rows: dict[str, dict[str, Any]], tried: Sequence[float], width_in: float
) -> None:
    """Draw one subject's row of one duration."""
    if not tried:
        ax.text(
            0.01,
            row,
            "not measured",
            transform=ax.get_yaxis_transform(),
            fontsize=7,
            color=MUTED,
            va="center",
        )
        return
    low, high = ax.get_xlim()
    for stretch in stretches(rows, tried):
        ax.add_patch(_bar(stretch, row + _BAR, (high / low) ** _THIN))
    middle = [row + _BAR] * len(tried)
    ax.plot(tried, middle, linestyle="none", marker="|", markersize=3, color=INK, label="tried")
    _intervals(ax, row, rows)
    for rate in _theory(rows):
        ax.plot([rate, rate], [row + _BAR - _TICK, row + _BAR + _TICK], label="theory", **_THEORY)
    _numbers(ax, row, rows, width_in)


def _ask(ax: Axes, row: int, rows: dict[str, dict[str, Any]], tried: Sequence[float]) -> None:
    """Lay over a row, unseen, what tells its values."""
    if tried:
        top, bottom = row - _TALL / 2, row + _TALL / 2
        corners = [(0.0, top), (1.0, top), (1.0, bottom), (0.0, bottom)]
        cover = Polygon(corners, fill=False, linewidth=0, transform=ax.get_yaxis_transform(), zorder=9)
        ax.add_patch(cover)
        one = next(iter(rows.values()))
        tag(cover, f"{one['strategy']}/{one['variant']}", [told.of_reach(rows, tried)])


def _bar(stretch: Stretch, middle: float, thin: float) -> Rectangle:
    """Return a stretch's bar; that of one rate alone is widened by the factor `thin` at both sides."""
    look = STATES[stretch.state.name]
    alone = thin if stretch.low == stretch.high else 1.0
    return Rectangle(
        (stretch.low / alone, middle - look.height / 2),
        stretch.high * alone - stretch.low / alone,
        look.height,
        facecolor=look.fill,
        edgecolor=look.edge,
        hatch=look.hatch,
        linewidth=0.6,
        label=stretch.state.value,
        zorder=2,
    )


def _intervals(ax: Axes, row: int, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw each question's interval, where both its ends are known; several lie beneath each other."""
    beside = 0.16 / max(len(rows) - 1, 1)
    for place, (name, point) in enumerate(rows.items()):
        found, question = edges(point), QUESTIONS[name]
        if found.held and found.failed:
            y = row + _BAR + beside * place - 0.08
            label = f"{question.words}: interval"
            ax.plot([found.held, found.failed], [y, y], color=INK, linewidth=1.5, label=label, zorder=3)


def _theory(rows: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """Return the rates that theory names, without those that would be the same tick."""
    rates = sorted(rate for rate in map(theory_per_s, rows.values()) if math.isfinite(rate))
    return [rate for i, rate in enumerate(rates) if not i or rate > rates[i - 1] * _SAME]


def _numbers(ax: Axes, row: int, rows: Mapping[str, Mapping[str, Any]], width_in: float) -> None:
    """Write above the bar where the first thing goes wrong, and where the API blocks if that comes later."""
    free_in = -math.inf
    for edge in _told(edges_of(rows)):
        at = float(ax.transAxes.inverted().transform(ax.transData.transform((edge.at_per_s, row)))[0])
        text = edge.words + _core_full(rows[edge.question])
        half_in = len(text) * _LETTER_IN / 2
        middle_in = min(max(at * width_in, half_in), width_in - half_in)
        if middle_in - half_in < free_in:
            continue
        free_in = middle_in + half_in + _APART_IN
        ax.text(
            middle_in / width_in,
            row - _NUMBERS,
            text,
            transform=ax.get_yaxis_transform(),
            fontsize=7.5,
            color=INK,
            ha="center",
            va="center",
        )


def _told(found: Sequence[Edge]) -> Iterator[Edge]:
    """Yield the first edge, and the later one where the API surely blocks above it."""
    for place, edge in enumerate(found):
        if not place or (edge.question == BLOCKING and not edge.open):
            yield edge


def _core_full(row: Mapping[str, Any]) -> str:
    bound = row.get("core_bound")
    return f" {_CORE_FULL}" if isinstance(bound, str) and bound else ""


def _key(*, core_full: bool) -> list[Artist]:
    handles: list[Artist] = [
        Patch(facecolor=look.fill, edgecolor=look.edge, hatch=look.hatch, linewidth=0.6, label=state.value)
        for state, look in ((state, STATES[state.name]) for state in State)
    ]
    plain = {"color": INK, "linestyle": "none"}
    handles += [
        Line2D([], [], color=INK, linewidth=1.5, label="interval: held to failed"),
        Line2D([], [], label="theory", **_THEORY),
        Line2D([], [], marker="|", markersize=4, label="a rate that was tried", **plain),  # type: ignore[arg-type]
        Line2D([], [], label="~: not confirmed at length", **plain),  # type: ignore[arg-type]
    ]
    if core_full:
        label = "core full: moves with the machine"
        handles.append(Line2D([], [], marker="^", markersize=5, label=label, **plain))  # type: ignore[arg-type]
    return handles


def _words(part: Part) -> Caption:
    limit = milliseconds(part.tables.manifest.limit_ms)
    subtitle = (
        f"{part.about} · blocked: the p99 of accepting a task or of an unrelated request is above {limit}"
    )
    caption = conditions(part.tables.manifest, part.trials, _MEANS, invalid_are="left out")
    return Caption(REACH.title, subtitle, caption)


def _compares(part: Part) -> bool:
    """Say whether anything was measured at two rates, of two subjects or of two durations."""
    return len(part.trials.drop_duplicates(["strategy", "variant", "duration_ms", "offered_per_s"])) > 1


def _unfit(part: Part) -> str:
    return "" if part.trials["valid"].astype(bool).any() else f"{part.about}: no trial is valid"


REACH: Final = Entry(
    name="reach",
    title="How far each way carries you",
    parts=points_by_kind,
    words=_words,
    draw=lambda part, words: reach(part.rows, part.trials, words),
    compares=_compares,
    unfit=_unfit,
    first=True,
)
