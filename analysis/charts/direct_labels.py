"""Names written at the ends of lines, where no legend has to be read, and none upon another."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from analysis.charts.grid import size_in, spread
from analysis.charts.tags import tag

_LETTER_IN: Final = 0.056
_LINE_IN: Final = 0.135
_BESIDE_IN: Final = 0.09
_LEADER_IN: Final = 0.06
"""a name that had to move further than this is joined to its line"""
_FAR_IN: Final = 0.3
_AT_THE_EDGE: Final = 0.93
_STEPS: Final = 16
_CROSSED: Final = 0.2
"""inches of moving that a name upon somebody's point is worth"""


@dataclass(frozen=True)
class End:
    """Where a line ends, in data coordinates, and what it is."""

    x: float
    y: float
    text: str
    colour: str
    again: bool = False
    """its line has its name elsewhere, too: better none here than one far away"""
    subject: str = ""
    """whose line it is; empty where that is nobody's"""


@dataclass(frozen=True)
class _Box:
    left: float
    middle: float
    width: float

    def meets(self, other: "_Box") -> bool:
        across = self.left < other.left + other.width and other.left < self.left + self.width
        return across and abs(self.middle - other.middle) < _LINE_IN * 0.98


def label_ends(
    ax: Axes, ends: Sequence[End], points: Sequence[tuple[float, float]], beyond: float = _AT_THE_EDGE
) -> None:
    """Write every end's name beside it; those near the right edge stand outside the panel, in their order.

    `points` are the measured ones, upon which no name should stand where there is room beside. `beyond` is
    the share of the panel's width from which a line's end is near the edge.
    """
    width, height = size_in(ax)
    outer = [end for end in ends if _inches(ax, end.x, end.y)[0] >= beyond * width]
    outer.sort(key=lambda end: end.y)
    middles = spread([_inches(ax, end.x, end.y)[1] for end in outer], _LINE_IN, height - _LINE_IN / 2)
    boxes = [
        _Box(width + _BESIDE_IN, middle, _width(end)) for end, middle in zip(outer, middles, strict=True)
    ]
    for end, box in zip(outer, boxes, strict=True):
        _write(ax, end, box)
    taken = [_Box(*_inches(ax, *point), 0.0) for point in points]
    inner = sorted((end for end in ends if end not in outer), key=lambda end: (-end.x, end.y))
    inner.sort(key=lambda end: end.again)
    for end in inner:
        at = _inches(ax, end.x, end.y)
        box = _free(at, _width(end), boxes, taken, height)
        if not (end.again and abs(box.middle - at[1]) > _FAR_IN):
            boxes.append(box)
            _write(ax, end, box)


def label_level(
    ax: Axes, level: float, text: str, colour: str, points: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Write a name above a level, as far left as no point is in its way; return places that it covers."""
    width, height = size_in(ax)
    long, middle = _LETTER_IN * len(text), _inches(ax, ax.get_xlim()[0], level)[1] + _LINE_IN * 0.6
    taken = [_Box(*_inches(ax, *point), 0.0) for point in points]
    starts = np.arange(_BESIDE_IN, max(width - long, 2 * _BESIDE_IN), _BESIDE_IN)
    places = [_Box(float(start), middle, long) for start in starts]
    box = min(places, key=lambda place: sum(place.meets(point) for point in taken))
    look: dict[str, Any] = {"transform": ax.transAxes, "color": colour, "fontsize": 6.5, "va": "center"}
    ax.text(box.left / width, middle / height, text, **look)
    to_data = ax.transAxes + ax.transData.inverted()
    shares = np.linspace(box.left, box.left + long, 8) / width
    covered = to_data.transform([(share, middle / height) for share in shares])
    return [(float(x), float(y)) for x, y in covered]


def _free(
    at: tuple[float, float], width: float, boxes: Sequence[_Box], taken: Sequence[_Box], height: float
) -> _Box:
    """Return the nearest place beside a point that no other name has, and few points."""
    moves = itertools.chain.from_iterable((step, -step) for step in range(_STEPS))
    places = [_Box(at[0] + _BESIDE_IN, at[1] + move * _LINE_IN, width) for move in moves]
    inside = [place for place in places if _LINE_IN / 2 <= place.middle <= height - _LINE_IN / 2]
    free = [place for place in inside if not any(place.meets(box) for box in boxes)]
    return min(
        free or inside,
        key=lambda place: abs(place.middle - at[1]) + _CROSSED * sum(place.meets(point) for point in taken),
    )


def _write(ax: Axes, end: End, box: _Box) -> None:
    width, height = size_in(ax)
    x, y = _inches(ax, end.x, end.y)
    look: dict[str, Any] = {"transform": ax.transAxes, "color": end.colour, "clip_on": False}
    drawn: list[Artist] = []
    if abs(box.middle - y) > _LEADER_IN:
        along = [(x + 0.03) / width, (box.left - 0.02) / width]
        drawn += ax.plot(along, [y / height, box.middle / height], linewidth=0.6, label="leader", **look)
    drawn.append(ax.text(box.left / width, box.middle / height, end.text, fontsize=7.5, va="center", **look))
    for artist in drawn if end.subject else []:
        tag(artist, end.subject)


def _inches(ax: Axes, x: float, y: float) -> tuple[float, float]:
    width, height = size_in(ax)
    across, up = (ax.transData + ax.transAxes.inverted()).transform((x, y))
    return float(across) * width, float(up) * height


def _width(end: End) -> float:
    return _LETTER_IN * len(end.text)
