"""What an unrelated request goes through, for every duration of a task and every arrival rate."""

import itertools
import math
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, axis_names, head, make_grid
from analysis.charts.parts import by_kind, few
from analysis.charts.scales import span
from analysis.charts.style import INK, MUTED, colour
from analysis.format import milliseconds, number
from analysis.order import subjects
from results.terms import BYSTANDERS

_WIDTH_IN: Final = 10.4
_CELL_IN: Final = (0.42, 0.2)
_ROOMY: Final = 4
"""more columns than these make their names small"""
_NARROW_IN: Final = 1.65
_WIDE_IN: Final = 2.7
_LETTER_IN: Final = 0.062
_DECADES: Final = 2.0
"""how far the colours reach on either side of the limit"""
_MOST_ROWS: Final = 14
_WORST: Final = "A cell shows its worst valid trial"
_HATCH: Final = "////"
_NOTCH: Final = 0.1
"""share of a column that a mark of the ceiling takes at each side, beside the cell's text"""
_SCALE: Final = ListedColormap(
    np.vstack(
        [colormaps["Blues_r"](np.linspace(0.12, 0.78, 64)), colormaps["OrRd"](np.linspace(0.3, 0.95, 64))]
    ),
    "limit",
)
"""blue below the limit, red above it, with a step between: no cell looks like an empty one"""


def heatmap(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw the worst bystander p99 over duration and arrival rate, one panel a subject.

    `rows` are those of a summary with one kind and topology. Rates of a search are irregular: they share
    rows of equal height on a logarithmic axis. Cells with only invalid trials are hatched, others blank.
    """
    panels = list(subjects(rows))
    durations = sorted(set(rows["duration_ms"]))
    edges = rate_edges(*span(rows["offered_per_s"]))
    width = min(max(len(durations) * _CELL_IN[0], _NARROW_IN), _WIDE_IN)
    rows_of_panels = math.ceil(len(panels) / int(_WIDTH_IN / (width + 0.45)))
    columns = math.ceil(len(panels) / rows_of_panels)
    shape = Shape(columns, width, max((len(edges) - 1) * _CELL_IN[1], 1.5), right=0.45)
    figure, axes = make_grid(len(panels), shape, words, key=_key(float(rows["limit_ms"].iloc[0])))
    for ax, (strategy, variant, own) in zip(axes, panels, strict=True):
        slots = int(own["slots"].iloc[0])
        detail = f"{variant} · {f'{number(slots)} slot' + 's' * (slots != 1) if slots else 'no bound'}"
        head(ax, strategy, detail, colour(strategy))
        _axes(ax, durations, edges)
        _cells(ax, own, durations, edges, shape)
    axis_names(axes, shape.columns, "duration of a task", "arrival rate (tasks/s)")
    return figure


def rate_edges(low: float, high: float) -> list[float]:
    """Return the edges of rows of rates: 1-1.5-2-3-5-7 a decade, or 1-2-5, or whole decades."""
    for steps in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,)):
        decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
        every = [step * 10.0**decade for decade in decades for step in steps]
        first = max(i for i, edge in enumerate(every) if edge <= low * (1 + 1e-9))
        last = min(i for i, edge in enumerate(every) if edge > high * (1 + 1e-9))
        if last - first <= _MOST_ROWS:
            break
    return every[first : last + 1]


def _axes(ax: Axes, durations: list[float], edges: list[float]) -> None:
    ax.grid(visible=False)
    ax.set_xlim(0, len(durations))
    ax.set_ylim(0, len(edges) - 1)
    ax.set_xticks(np.arange(len(durations)) + 0.5, [milliseconds(duration) for duration in durations])
    if len(durations) > _ROOMY:
        ax.tick_params(axis="x", labelsize=6.3)
    every = 2 if len(edges) > 8 else 1
    ax.set_yticks(range(0, len(edges), every), [number(edge) for edge in edges[::every]])


def _cells(ax: Axes, own: pd.DataFrame, durations: list[float], edges: list[float], shape: Shape) -> None:
    row_of = np.searchsorted(edges, own["offered_per_s"].to_numpy(dtype=float) * (1 + 1e-9), side="right") - 1
    column_of = own["duration_ms"].map(durations.index).to_numpy()
    for column, row in itertools.product(range(len(durations)), range(len(edges) - 1)):
        inside = own[(column_of == column) & (row_of == row)]
        if len(inside):
            _cell(ax, inside, (column, row), shape.panel_width / len(durations))
    for column, duration in enumerate(durations):
        ceiling = own.loc[own["duration_ms"] == duration, "ceiling_per_s"].max()
        if edges[0] < ceiling < edges[-1]:
            level = np.interp(np.log(ceiling), np.log(edges), np.arange(len(edges)))
            for start in (column, column + 1 - _NOTCH):
                ax.plot([start, start + _NOTCH], [level, level], color=INK, linewidth=1.6)


def worst(inside: pd.DataFrame) -> tuple[float, bool]:
    """Return the greatest p99 of a bystander of valid rows, and whether it may be higher; NaN for none."""
    valid = inside[inside["valid"].astype(bool)]
    found: list[tuple[float, bool]] = [
        (float(value), bool(flag))
        for name in (stream.column for stream in BYSTANDERS)
        for value, flag in zip(valid[f"{name}_p99_ms"], valid[f"{name}_p99_at_least"], strict=True)
        if np.isfinite(value)
    ]
    return max(found, default=(math.nan, False))


def _cell(ax: Axes, inside: pd.DataFrame, at: tuple[int, int], width_in: float) -> None:
    value, at_least = worst(inside)
    if not math.isfinite(value):
        ax.add_patch(
            Rectangle(at, 1, 1, facecolor="none", edgecolor=MUTED, hatch=_HATCH, linewidth=0, label="invalid")
        )
        return
    shade = latency_tint(value, float(inside["limit_ms"].iloc[0]))
    ax.add_patch(Rectangle(at, 1, 1, facecolor=shade, edgecolor="white", linewidth=0.6, label="measured"))
    text = ("≥" if at_least else "") + milliseconds(value)
    if len(text) * _LETTER_IN < width_in:
        dark = float(np.dot(shade, (0.299, 0.587, 0.114))) < 0.55
        ax.text(
            at[0] + 0.5,
            at[1] + 0.47,
            text,
            fontsize=6.5,
            ha="center",
            va="center",
            color="white" if dark else INK,
        )


def latency_tint(value_ms: float, limit_ms: float) -> tuple[float, float, float]:
    """Return the colour of a latency."""
    scale = Normalize(-_DECADES, _DECADES, clip=True)
    place: npt.NDArray[np.float64] = np.asarray(scale(math.log10(max(value_ms, 1e-9) / limit_ms)))
    return to_rgb(_SCALE(float(place)))


def _key(limit_ms: float) -> list[Artist]:
    shown = [limit_ms * ratio for ratio in (0.01, 0.1, 0.9, 1.1, 10, 100)]
    names = [milliseconds(v) for v in shown]
    names[2:4] = [f"just below {milliseconds(limit_ms)}", f"just above {milliseconds(limit_ms)}"]
    names[0], names[-1] = f"≤ {names[0]}", f"≥ {names[-1]}"
    handles: list[Artist] = [
        Patch(facecolor=latency_tint(v, limit_ms), label=n) for v, n in zip(shown, names, strict=True)
    ]
    handles.append(Patch(facecolor="none", edgecolor=MUTED, hatch=_HATCH, linewidth=0, label="only invalid"))
    handles.append(Line2D([], [], color=INK, linewidth=1.6, label="ceiling in theory"))
    return handles


def _words(part: Part) -> Caption:
    limit = milliseconds(part.tables.manifest.limit_ms)
    streams = " and ".join(stream.latency for stream in BYSTANDERS)
    subtitle = f"{part.about} · worst p99 of {streams}; the limit is {limit}"
    caption = conditions(part.tables.manifest, part.rows, _WORST, few(part.rows), invalid_are="left out")
    return Caption(HEATMAP.title, subtitle, caption)


HEATMAP: Final = Entry(
    name="heatmap",
    title="What an unrelated request goes through",
    parts=by_kind,
    words=_words,
    draw=lambda part, words: heatmap(part.rows, words),
    first=True,
)
