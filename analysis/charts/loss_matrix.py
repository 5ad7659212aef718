"""What is lost: strategies by drills, each cell with the tasks that did not come back."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.charts.conditions import machine
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, make_grid
from analysis.charts.style import INK, MUTED, colour
from analysis.drills.derive import Drills
from analysis.drills.matrix import cells, drills_in_order, subjects_in_order
from analysis.format import number

_NONE: Final = "#CFE8DC"
_NOT_ASKED: Final = "#F4F4F2"
_CELL_IN: Final = (0.92, 0.34)
_MANY_LOST: Final = 0.5


def loss_matrix(drills: Drills, words: Caption) -> Figure:
    """Draw a table of strategies by drills, each cell with its lost tasks, coloured by their share."""
    found = cells(drills.matrix)
    columns = drills_in_order(list(drills.matrix["drill"]))
    rows = subjects_in_order(drills.manifest)
    width, height = len(columns) * _CELL_IN[0], len(rows) * _CELL_IN[1]
    shape = Shape(1, width, height, right=0.15, left=2.25)
    figure, (ax,) = make_grid(1, shape, words)
    ax.grid(visible=False)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(columns)) + 0.5, [name.replace("-", "-\n", 1) for name in columns])
    ax.set_yticks(np.arange(len(rows)) + 0.5, [f"{s.strategy} · {s.variant}" for s in rows])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for label, subject in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_color(colour(subject.strategy))
    for x, drill in enumerate(columns):
        for y, subject in enumerate(rows):
            cell = found.get((subject.key, drill))
            if cell is not None:
                _cell(ax, (x, y), cell)
    return figure


def _cell(ax: Axes, at: tuple[int, int], cell: Any) -> None:
    counted = cell["repeats"] > 0 and cell["accepted"] > 0
    shade = loss_tint(cell["lost_share"]) if counted else to_rgb(_NOT_ASKED)
    ax.add_patch(Rectangle(at, 1, 1, facecolor=shade, edgecolor="white", linewidth=1.2))
    text = f"{number(cell['lost'])} of {number(cell['accepted'])}" if counted else "refused"
    dark = float(np.dot(shade, (0.299, 0.587, 0.114))) < 0.55
    ink = "white" if dark else INK if counted else MUTED
    ax.text(at[0] + 0.5, at[1] + 0.5, text, fontsize=7, ha="center", va="center", color=ink)


def loss_tint(share: float) -> tuple[float, float, float]:
    """Return the colour of a share lost: green for none, then ever darker red from the first one on."""
    if share <= 0:
        return to_rgb(_NONE)
    return to_rgb(colormaps["OrRd"](0.25 + 0.7 * min(math.sqrt(share / _MANY_LOST), 1.0)))


def _words(part: Part) -> Caption:
    counted, refused = (int(part.rows[name].sum()) for name in ("repeats", "refused"))
    manifest = part.tables.manifest
    caption = (
        f"{counted} drills count, {refused or 'none'} refused · {machine(manifest)} · "
        f"seed {manifest.seed}. A share depends on how much was under way: look at the counts."
    )
    return Caption(
        LOSS_MATRIX.title,
        "tasks lost of the accepted ones, all repeats together; blank: the drill does not concern it",
        caption,
    )


def _parts(drills: Drills) -> Iterator[Part]:
    yield Part(drills, drills.matrix)


LOSS_MATRIX: Final = Entry(
    name="matrix",
    title="What is lost",
    parts=_parts,
    words=_words,
    draw=lambda part, words: loss_matrix(part.tables, words),
    unfit=lambda part: "" if part.rows["repeats"].sum() else "no drill passed the gate",
)
