"""A drill second by second: latencies, errors and the backlog around its fault."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.charts.conditions import machine
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, head, limit_line, make_grid
from analysis.charts.scales import FLOOR_MS, even_ticks, linear_axis, log_axis
from analysis.charts.style import ALARM, INK, MUTED, colour
from analysis.drills.derive import Drills
from analysis.drills.matrix import drills_in_order
from analysis.format import number
from analysis.order import subjects
from results.terms import Stream

_ROWS: Final = 2
"""panels a subject: latencies, and the backlog beneath"""
_PING: Final = "#8A8A8A"
_PING_SYNC: Final = "#222222"
_PING_DB: Final = "#A86F00"
_LONG: Final = 2.0
"""times the median subject's time"""
_NAME_SHARE: Final = 0.16
"""of a panel's width, that the name of a line takes"""


def draw_timeline(points: pd.DataFrame, words: Caption, limit_ms: float) -> Figure:
    """Draw latencies, errors and the backlog around a fault, two panels a subject on one scale.

    `points` are rows of `analysis.drills.timeline.drill_timeline` of one drill. A subject that took more than
    `_LONG` times the median subject's time has a time scale of its own, and says so.
    """
    chosen = list(subjects(points))
    columns = {1: 1, 2: 2, 3: 3, 4: 2}.get(len(chosen), 3)
    blocks = -(-len(chosen) // columns)
    width = {1: 6.4, 2: 4.2}.get(columns, 2.95)
    shape = Shape(columns, width, 1.25, 0.55, group=_ROWS)
    figure, axes = make_grid(blocks * _ROWS * columns, shape, words, rows=blocks * _ROWS, key=_key(points))
    latencies = points[points["series"].isin([stream.latency for stream in Stream])]["value"]
    top_ms = max(float(latencies.max()) if len(latencies) else 1.0, limit_ms) * 2.2
    heights = points[points["series"].isin(["backlog", "lost"])].groupby(["subject", "at_s"])["value"].sum()
    top = max(float(heights.max()) if len(heights) else 1.0, 1.0)
    first_s, ends_s = float(points["at_s"].min()), points.groupby("subject")["at_s"].max()
    common_s = float(ends_s[ends_s <= _LONG * ends_s.median()].max())
    for place in range(blocks * columns):
        block, column = divmod(place, columns)
        above, below = (axes[(block * _ROWS + row) * columns + column] for row in range(_ROWS))
        if place >= len(chosen):
            above.remove()
            below.remove()
            continue
        strategy, variant, rows = chosen[place]
        span = first_s, max(common_s, float(rows["at_s"].max()))
        _latencies(above, rows, colour(strategy), top_ms, limit_ms)
        _backlog(below, rows, colour(strategy), top * 1.2, span[1])
        _fault((above, below), rows, span, named=place == 0)
        apart = " · time scale of its own" if span[1] > common_s else ""
        head(above, f"{strategy} · {variant}", _detail(rows) + apart, colour(strategy))
        _time(above, below, span, leftmost=column == 0)
    return figure


def _detail(rows: pd.DataFrame) -> str:
    lost = rows.loc[rows["series"] == "lost", "value"].max()
    errors = int((rows["series"] == "error").sum())
    return f"{number(lost)} lost · {errors or 'no'} failed request{'s' * (errors != 1)}"


def _latencies(ax: Axes, rows: pd.DataFrame, shade: str, top_ms: float, limit_ms: float) -> None:
    log_axis(ax, FLOOR_MS, top_ms * 2.2, "y", time=True, limit=5)
    limit_line(ax, limit_ms, named=False)
    looks: dict[Stream, dict[str, Any]] = {
        Stream.PING_DB: {"color": _PING_DB, "marker": "^", "markersize": 2.6, "markeredgewidth": 0},
        Stream.PING_SYNC: {"color": _PING_SYNC, "marker": "x", "markersize": 2.6, "markeredgewidth": 0.6},
        Stream.PING: {"color": _PING, "marker": ".", "markersize": 3.2},
        Stream.TASKS: {"color": shade, "marker": "o", "markersize": 2.8, "markeredgewidth": 0},
    }
    for stream, look in looks.items():
        own = rows[rows["series"] == stream.latency]
        ax.plot(
            own["at_s"],
            own["value"].clip(lower=FLOOR_MS),
            linestyle="none",
            label=stream.latency,
            rasterized=True,
            **look,
        )
    errors = rows.loc[rows["series"] == "error", "at_s"]
    top = np.full(len(errors), 0.96)
    ax.plot(
        errors,
        top,
        transform=ax.get_xaxis_transform(),
        linestyle="none",
        marker="|",
        markersize=6,
        markeredgewidth=0.8,
        color=ALARM,
        rasterized=True,
        label="error",
    )


def _backlog(ax: Axes, rows: pd.DataFrame, shade: str, top: float, until_s: float) -> None:
    """Draw both heights, on from the last look: nothing moved any more."""
    waiting, lost = (rows[rows["series"] == name].sort_values("at_s") for name in ("backlog", "lost"))
    at = np.append(lost["at_s"].to_numpy(), until_s)
    bottom, above = (np.append(own["value"].to_numpy(), own["value"].iloc[-1]) for own in (lost, waiting))
    full = bottom + above
    moves = np.append(True, (np.diff(bottom) != 0) | (np.diff(full) != 0))
    moves[-1] = True
    at, bottom, full = at[moves], bottom[moves], full[moves]
    filled: dict[str, Any] = {"linewidth": 0, "step": "post", "rasterized": True}
    ax.fill_between(at, bottom, full, color=shade, alpha=0.3, **filled)
    ax.fill_between(at, bottom, color=ALARM, alpha=0.55, label="lost", **filled)
    ax.plot(at, full, color=shade, linewidth=1.0, drawstyle="steps-post", label="backlog")
    linear_axis(ax, top, count=3)


def _fault(axes: tuple[Axes, Axes], rows: pd.DataFrame, span: tuple[float, float], *, named: bool) -> None:
    end, lasting, repaired = (rows[name].iloc[0] for name in ("fault_s", "lasting", "repaired"))
    for ax in axes:
        ax.axvspan(0, end, color=ALARM, alpha=0.09, linewidth=0, zorder=0, label="fault")
        if not lasting:
            ax.axvline(0, color=ALARM, linewidth=0.8, zorder=1)
            ax.axvline(end, color=INK, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    if named:
        room = _NAME_SHARE * (span[1] - span[0])
        within = lasting or -span[0] < room / 2 < end
        _name(axes[1], 0.0, "the load itself" if lasting else "fault", ALARM, "left" if within else "right")
        if not lasting:
            text = "put right" if repaired else "at rest"
            _name(axes[1], end, text, INK, "right" if end > span[1] - room else "left")


def _name(ax: Axes, at: float, text: str, ink: str, side: str) -> None:
    ax.annotate(
        text,
        (at, 0.93),
        (3 if side == "left" else -3, 0),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=6.5,
        color=ink,
        ha=side,
        va="top",
    )


def _time(above: Axes, below: Axes, span: tuple[float, float], *, leftmost: bool) -> None:
    low, high = span
    room = (high - low) * 0.02
    step = even_ticks(max(high - low, 1e-3))[1]
    places = [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    for ax in (above, below):
        ax.set_xlim(low - room, high + room)
        ax.set_xticks(places, [f"{place:g}" for place in places])
    above.tick_params(labelbottom=False)
    below.set_xlabel("seconds since the fault", fontsize=8, color=MUTED)
    if leftmost:
        above.set_ylabel("latency", fontsize=8)
        below.set_ylabel("tasks", fontsize=8)
    else:
        above.tick_params(labelleft=False)
        below.tick_params(labelleft=False)


def _key(points: pd.DataFrame) -> list[Artist]:
    reads = Stream.PING_DB.latency in set(points["series"])
    dots = [
        (MUTED, "o", 4, Stream.TASKS.words),
        (_PING, ".", 5, Stream.PING.words),
        (_PING_SYNC, "x", 4, Stream.PING_SYNC.words),
        *([(_PING_DB, "^", 4, Stream.PING_DB.words)] if reads else []),
        (ALARM, "|", 7, "failed request"),
    ]
    return [
        *(
            Line2D([], [], color=ink, marker=marker, markersize=size, linestyle="none", label=label)
            for ink, marker, size, label in dots
        ),
        Patch(facecolor=MUTED, alpha=0.3, label="not ended yet"),
        Patch(facecolor=ALARM, alpha=0.55, label="lost"),
    ]


def _parts(drills: Drills) -> Iterator[Part]:
    """Yield the points of each drill."""
    points = drills.timelines
    for drill in drills_in_order(list(points["drill"])) if len(points) else ():
        yield Part(drills, points[points["drill"] == drill], drill, drill)


def _words(part: Part) -> Caption:
    matrix = part.tables.matrix
    summaries = matrix.loc[matrix["drill"] == part.about, "summary"]
    subtitle = f"{next((text for text in summaries if text), part.about)} · latency from the due time"
    caption = (
        f"One trial a panel, the first repeat that counts · {machine(part.tables.manifest)}. "
        "Red band: while the fault lasts; red ticks on top: requests that failed, at their due time. "
        "Below: tasks accepted and not ended; red: those of them that were lost."
    )
    return Caption(f"Drill {part.about}, second by second", subtitle, caption)


def _needs(drills: Drills) -> str:
    if drills.manifest.jobs > 1:
        return f"trials ran in {drills.manifest.jobs} jobs beside each other, so that no latency counts"
    return "no drill passed the gate"


DRILL_TIMELINE: Final = Entry(
    name="timeline",
    title="Second by second",
    parts=_parts,
    words=_words,
    draw=lambda part, words: draw_timeline(part.rows, words, part.tables.manifest.limit_ms),
    needs=_needs,
)
