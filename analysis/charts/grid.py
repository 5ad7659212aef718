"""Small multiples with a title above and the conditions below, measured in inches so that nothing is cut."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.style import ALARM, FAINT, INK, MUTED, RC

_TITLE_IN = 0.55
_LINE_IN = 0.155
_GAP_IN = 0.68
_CLOSE_IN = 0.14
_GROUP_GAP_IN = 0.8
_KEY_IN = 1.75
_KEY: dict[str, Any] = {
    "loc": "upper left",
    "frameon": False,
    "fontsize": 7.5,
    "borderpad": 0,
    "borderaxespad": 0,
}


@dataclass(frozen=True)
class Caption:
    """What stands around a chart."""

    title: str
    subtitle: str
    caption: str


@dataclass(frozen=True)
class Shape:
    """The sizes of a grid in inches."""

    columns: int
    panel_width: float
    panel_height: float
    right: float = 0.78
    left: float = 0.72
    group: int = 1
    """rows that belong together and stand close"""
    above: float = _GAP_IN * 0.7
    """room for what stands over the first row: a name and a detail, or less"""


def shape_for(panels: int, height: float = 2.0, right: float = 0.78) -> Shape:
    """Return a grid's shape that looks well with 1 panel and with 12."""
    columns = {1: 1, 2: 2, 4: 2}.get(panels, 3 if panels <= 9 else 4)
    width = {1: 6.2, 2: 4.0, 3: 2.9}.get(columns, 2.15)
    return Shape(columns, width, height if columns > 1 else height * 1.5, right)


@dataclass(frozen=True)
class Box:
    """Where a panel stands, in inches from the left and from below the legend."""

    left: float
    top: float
    width: float
    height: float


def make_grid(
    panels: int, shape: Shape, words: Caption, rows: int | None = None, key: Sequence[Artist] = ()
) -> tuple[Figure, list[Axes]]:
    """Return a figure with that many panels, row by row; the places left over stay empty, without axes.

    `key` are the entries of a legend above all panels.
    """
    count = rows if rows is not None else math.ceil(panels / shape.columns)
    cell_width = shape.panel_width + shape.right
    gaps = [
        _GAP_IN + 0.12 * (shape.group > 1) if row % shape.group == 0 else _CLOSE_IN for row in range(count)
    ]
    spare = _GAP_IN - shape.above
    boxes = []
    for number in range(panels):
        row, column = divmod(number, shape.columns)
        top = row * shape.panel_height + sum(gaps[: row + 1]) - spare
        boxes.append(Box(shape.left + column * cell_width, top, shape.panel_width, shape.panel_height))
    width = shape.left + shape.columns * cell_width
    body = count * shape.panel_height + sum(gaps) - (spare - _GAP_IN * 0.3)
    return make_figure(boxes, width, body, words, key)


def make_figure(
    boxes: Sequence[Box], width: float, body: float, words: Caption, key: Sequence[Artist] = ()
) -> tuple[Figure, list[Axes]]:
    """Return a figure of that width with a panel in each box; `body` is the height of all with their gaps."""
    width = max(width, 7.0)
    lines = _wrap(words.caption, width)
    across = max(2, int((width - 0.2) / _KEY_IN))
    title = _TITLE_IN + (0.1 + 0.17 * math.ceil(len(key) / across) if key else 0.0)
    height = title + body + 0.42 + _LINE_IN * len(lines) + 0.15
    with mpl.rc_context(RC):
        figure = Figure(figsize=(width, height), facecolor="white")
        axes = []
        for box in boxes:
            place = (box.left / width, 1 - (title + box.top + box.height) / height)
            axes.append(figure.add_axes((*place, box.width / width, box.height / height)))
        for ax in axes:
            plain(ax)
        figure.text(0.12 / width, 1 - 0.12 / height, words.title, fontsize=12, fontweight="bold", va="top")
        figure.text(0.12 / width, 1 - 0.38 / height, words.subtitle, fontsize=8.5, va="top", color=MUTED)
        if key:
            at = (0.12 / width, 1 - (_TITLE_IN + 0.04) / height)
            figure.legend(handles=by_row(key, across), ncols=across, bbox_to_anchor=at, **_KEY)
        foot = "\n".join(lines)
        figure.text(0.12 / width, 0.1 / height, foot, fontsize=7, va="bottom", color=MUTED, linespacing=1.35)
    return figure, axes


def by_row(entries: Sequence[Artist], across: int) -> list[Artist]:
    """Return the entries in the order in which a legend of that many columns reads row by row."""
    return [entry for column in range(across) for entry in entries[column::across]]


def plain(ax: Axes) -> None:
    """Take away what a panel does not need."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=FAINT, linewidth=0.5)
    ax.set_axisbelow(True)
    ax.tick_params(length=2, labelsize=7.5)


def head(ax: Axes, name: str, detail: str, colour: str) -> None:
    """Write a panel's name in its colour, and what limits it, above it."""
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    size = 8.5 if len(name) < 30 else 7.2
    ax.annotate(name, (0, 1), (0, 14), fontsize=size, fontweight="bold", color=colour, **place)
    ax.annotate(detail, (0, 1), (0, 4), fontsize=7, color=MUTED, **place)


def axis_names(axes: list[Axes], columns: int, x: str, y: str) -> None:
    """Name the axes where a reader looks for them: x below the lowest panels, y at the left ones."""
    for number, ax in enumerate(axes):
        if number + columns >= len(axes):
            ax.set_xlabel(x, fontsize=8)
        if number % columns == 0:
            ax.set_ylabel(y, fontsize=8)
        else:
            ax.tick_params(labelleft=False)


def end_labels(ax: Axes, labels: list[tuple[float, float, str, str]]) -> None:
    """Write (x, y, text, colour) just right of line ends, moved apart where they would overlap."""
    height = size_in(ax)[1]
    to_axes = ax.transData + ax.transAxes.inverted()
    placed = sorted((float(to_axes.transform((x, y))[1]), text, colour) for x, y, text, colour in labels)
    places = spread([max(0.02, min(0.98, y)) for y, _, _ in placed], 0.125 / height, 1.0)
    for y, (_, text, colour) in zip(places, placed, strict=True):
        ax.text(1.02, y, text, transform=ax.transAxes, fontsize=7.5, color=colour, va="center", clip_on=False)


def size_in(ax: Axes) -> tuple[float, float]:
    """Return the width and height of a panel in inches."""
    width, height = ax.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    place = ax.get_position()
    return float(place.width * width), float(place.height * height)


def spread(places: Sequence[float], apart: float, high: float) -> list[float]:
    """Return rising places at least so far apart, none above `high`, each near where it was."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    overflow = max(0.0, moved[-1] - high) if moved else 0.0
    moved = [place - overflow for place in moved]
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - apart)
    return moved


def limit_line(ax: Axes, limit_ms: float, *, named: bool) -> None:
    """Draw the latency limit."""
    ax.axhline(limit_ms, color=ALARM, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    if named:
        ax.text(
            0.01,
            limit_ms * 1.1,
            f"limit {limit_ms:.0f} ms",
            transform=ax.get_yaxis_transform(),
            fontsize=6.5,
            color=ALARM,
            va="bottom",
        )


def ceiling_line(ax: Axes, ceiling: float, *, horizontal: bool = False) -> None:
    """Draw the predicted ceiling."""
    draw = ax.axhline if horizontal else ax.axvline
    draw(ceiling, color=INK, linewidth=0.9, linestyle=(0, (6, 2, 1, 2)), zorder=1)


def _wrap(text: str, width_in: float) -> list[str]:
    return textwrap.wrap(text, max(40, int(width_in * 19.5))) or [""]
