"""Whether theory knows what was measured: the p99 of waits, predicted and measured, against rho."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, axis_names, ceiling_line, end_labels, head, make_grid, shape_for
from analysis.charts.parts import CEILING, conditions_of
from analysis.charts.scales import log_axis, rate_axis
from analysis.charts.series import crosses, median_line, stream_style, top_of
from analysis.charts.style import FAINT, colour
from analysis.order import subjects
from analysis.queueing.waits import mdc_wait
from analysis.trials.curves import has_curve
from analysis.trials.derive import Derived
from analysis.trials.points import at_rates
from analysis.trials.predictions import agreement
from results.terms import Stream

Floats = npt.NDArray[np.float64]

_WAIT: Final = "queue_wait_p99_ms"
_SHOWN: Final = {_WAIT: Stream.TASKS} | {f"{stream.column}_p99_ms": stream for stream in Stream}
"""which stream each quantity is drawn like"""
_STEADY: Final = "Grey curve: the p99 of a pool's wait in steady state (M/D/c)"
_AGREES: Final = "Agrees: within 20 % or 10 ms of what a valid trial measured"
_FLOOR_MS: Final = 1.0
"""shorter waits are drawn here: below it lies what a request takes with nobody in its way"""
_RHO: Final = 1 - np.geomspace(0.95, 0.005, 64)
"""utilisations of a steady state's curve, the closer to each other the steeper it is"""


def predictable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `predictions.predict` that have a utilisation and a predicted wait to draw."""
    waits = rows[[f"predicted_{name}" for name in _SHOWN]]
    return rows[rows["rho"].notna() & waits.notna().any(axis=1)]


def predicted_by_rho(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw measured p99s (filled) and those predicted on the trials' own schedules (open), a panel a subject.

    `rows` are those of `predictable` with one kind, duration and topology. The grey curve of a pool is the
    steady state's p99 (M/D/c).
    """
    panels = list(subjects(rows))
    shape = shape_for(len(panels))
    figure, axes = make_grid(len(panels), shape, words)
    top = top_of(rows, [f"{side}_{name}" for name in _SHOWN for side in ("predicted", "measured")]) * 3
    for ax, (strategy, variant, own) in zip(axes, panels, strict=True):
        rate_axis(ax, rows["rho"])
        log_axis(ax, _FLOOR_MS * 0.7, max(top, 100), "y", time=True)
        ceiling_line(ax, 1.0)
        _steady_state(ax, own)
        shown = [name for name in _SHOWN if own[f"predicted_{name}"].notna().any()]
        right = [int(agreement(own, name).sum()) for name in shown]
        asked = sum(len(agreement(own, name)) for name in shown)
        head(ax, f"{strategy} · {variant}", f"{sum(right)} of {asked} agree", colour(strategy))
        ends = [_series(ax, own, name, strategy) for name in shown]
        end_labels(ax, [end for end in ends if end])
    axis_names(axes, shape.columns, "arrival rate over ceiling", "p99")
    return figure


def _series(ax: Axes, own: pd.DataFrame, name: str, strategy: str) -> tuple[float, float, str, str] | None:
    """Draw one quantity, both ways; return the end of its measured line with its label and colour."""
    style = stream_style(_SHOWN[name], strategy)
    label = "wait" if name == _WAIT else _SHOWN[name].latency
    known = own[own[f"predicted_{name}"].notna()]
    ends = []
    for side in ("predicted", "measured"):
        points = median_line(known, "rho", f"{side}_{name}").to_numpy(dtype=float)
        points[:, 1] = np.maximum(points[:, 1], _FLOOR_MS)
        (line,) = ax.plot(*points.T, color=style.colour, marker=style.marker, linewidth=1.6, markersize=3.5)
        if side == "predicted":
            line.set(linewidth=0.8, linestyle=(0, (1, 1.5)), markersize=8, markerfacecolor="none")
        ends = [(float(x), float(y), label, style.colour) for x, y in points[-1:]]
    crosses(ax, known, "rho", f"measured_{name}", floor=_FLOOR_MS)
    return ends[0] if ends else None


def _steady_state(ax: Axes, own: pd.DataFrame) -> None:
    known = own[own["mdc_wait_p99_ms"].notna()]
    if known.empty:
        return
    held_ms = float(known["held_ms"].median())
    waits_ms = held_ms * _steady_waits(int(known["slots"].iloc[0]))
    ax.plot(_RHO, np.maximum(waits_ms, _FLOOR_MS), color=FAINT, linewidth=3, zorder=0, solid_capstyle="butt")


@cache
def _steady_waits(servers: int) -> Floats:
    """Return the p99 of the wait at each of `_RHO`, in times for which a task holds a server."""
    return np.array([mdc_wait(servers * rho, 1.0, servers, 99) for rho in _RHO])


def _parts(derived: Derived) -> Iterator[Part]:
    return conditions_of(derived, predictable(at_rates(derived.predictions)))


def _words(part: Part) -> Caption:
    subtitle = (
        f"{part.about} · filled: measured, open: predicted by following the queue on the trial's own schedule"
    )
    caption = conditions(part.tables.manifest, part.rows, CEILING, _STEADY, _AGREES)
    return Caption(PREDICTION.title, subtitle, caption)


PREDICTION: Final = Entry(
    name="predicted",
    title="What theory knew",
    parts=_parts,
    words=_words,
    draw=lambda part, words: predicted_by_rho(part.rows, words),
    compares=lambda part: has_curve(part.rows),
)
