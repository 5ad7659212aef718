"""The hockey stick: at which rate unrelated requests, accepting and the work give way, all on one scale."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts import told
from analysis.charts.conditions import conditions
from analysis.charts.crowd import COLUMNS, crowded, draw_panels, make_panels
from analysis.charts.direct_labels import End, label_ends, label_level
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Box, Caption, end_labels, head, limit_line, make_figure
from analysis.charts.parts import by_condition, few
from analysis.charts.scales import FLOOR_MS, log_axis, rate_axis, span
from analysis.charts.style import ALARM, INK, MUTED
from analysis.charts.subjects import Drawing, Drawn, looks_of
from analysis.charts.tags import tag
from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.trials.curves import JOINED, has_curve, over_rates, runs, worst_p99
from analysis.trials.points import at_rates
from analysis.trials.streams import bystanders_in, worst_of
from results.terms import BYSTANDERS, Stream

Floats = npt.NDArray[np.float64]

_BYSTANDERS: Final = [stream.column for stream in BYSTANDERS]
_NAMES_IN: Final = 1.75
_BOXES: Final = (
    Box(0.72, 0.48, 5.6, 4.2),
    Box(0.72 + 5.6 + _NAMES_IN + 0.62, 0.48, 3.0, 1.72),
    Box(0.72 + 5.6 + _NAMES_IN + 0.62, 0.48 + 1.72 + 0.76, 3.0, 1.72),
)
_SIZE_IN: Final = (_BOXES[1].left + 3.0 + 0.6, 0.48 + 4.2)
_PLACES: Final = 10
"""that a name should not stand upon, between two points of a line"""
_LEAST_MS: Final = 1e-3
"""what no wait counts as on a logarithmic axis"""
_AT_LEAST: Final = {"label": "at least", "markerfacecolor": "white"}
_CEILING: Final = (0, (6, 2, 1, 2))
_SAME: Final = 1.03
"""ceilings closer than this factor are one line"""
_READ: Final = (
    f"Lines are interrupted where neighbouring rates lie more than a factor of {JOINED:g} apart. "
    "Hollow, with an upward caret: some requests were never answered, the true value is higher"
)


def latency_of_all(rows: pd.DataFrame, predictions: pd.DataFrame, words: Caption) -> Figure:
    """Draw all subjects' p99 of bystanders against the rate, and beside it accepting and completed tasks.

    `rows` are those of a summary with one kind, duration and topology, `predictions` the rows of
    `trials.predictions.predict` of the same trials.
    """
    figure, (bystanders, accept, completed) = make_figure(_BOXES, *_SIZE_IN, words)
    looks = looks_of(rows)
    _latencies(bystanders, rows, _BYSTANDERS, looks)
    _theory(bystanders, predictions, looks)
    _name_lines(bystanders, rows, looks)
    _latencies(accept, rows, [Stream.TASKS.column], looks)
    for ax in (bystanders, accept):
        limit_line(ax, float(rows["limit_ms"].iloc[0]), named=False)
    _completed(completed, rows, looks)
    head(bystanders, "An unrelated request", f"p99 of {worst_of(bystanders_in(rows))}", INK)
    head(accept, "Accepting a task", "p99", INK)
    head(completed, "Work completed", "on the diagonal it keeps up", INK)
    for ax in (bystanders, completed):
        ax.set_xlabel("arrival rate (tasks/s)", fontsize=8)
    return figure


def latency_by_strategy(rows: pd.DataFrame, predictions: pd.DataFrame, words: Caption) -> Figure:
    """Draw the bystanders of the same, a panel a strategy: for more subjects than one panel can hold."""
    figure, (panels,) = make_panels(rows, words)
    looks, limit_ms = looks_of(rows), float(rows["limit_ms"].iloc[0])

    def prepare(ax: Axes) -> None:
        _latency_axes(ax, rows, _BYSTANDERS)
        limit_line(ax, limit_ms, named=False)

    def draw(ax: Axes, own: pd.DataFrame) -> None:
        short = {key: replace(look, name=key[1]) for key, look in looks.items()}
        _lines(ax, own, _BYSTANDERS, short)
        _theory(ax, predictions[predictions["strategy"] == own["strategy"].iloc[0]], looks)
        _name_lines(ax, own, short, shared=False)

    draw_panels(panels, rows, prepare, draw, _curves)
    for ax in list(panels.values())[-COLUMNS:]:
        ax.set_xlabel("arrival rate (tasks/s)", fontsize=8)
    return figure


def _curves(rows: pd.DataFrame) -> Iterator[tuple[Floats, Floats]]:
    """Yield every piece of every subject's line."""
    for _, _, own in subjects(rows):
        curve = over_rates(worst_p99(own, _BYSTANDERS))
        values = curve["value"].clip(lower=FLOOR_MS).to_numpy(float)
        yield from runs(curve["offered_per_s"].to_numpy(float), values)


def _latencies(ax: Axes, rows: pd.DataFrame, streams: list[str], looks: Drawing) -> None:
    _latency_axes(ax, rows, streams)
    _lines(ax, rows, streams, looks)


def _latency_axes(ax: Axes, rows: pd.DataFrame, streams: list[str]) -> None:
    low, high = span([*worst_p99(rows, streams)["value"], float(rows["limit_ms"].iloc[0])])
    rate_axis(ax, rows["offered_per_s"])
    log_axis(ax, max(low / 1.6, FLOOR_MS), high * 2, "y", time=True)


def _lines(ax: Axes, rows: pd.DataFrame, streams: list[str], looks: Drawing) -> None:
    limit_ms = float(rows["limit_ms"].iloc[0])
    what = worst_of(bystanders_in(rows)) if streams == _BYSTANDERS else "accepting a task"
    for strategy, variant, own in subjects(rows):
        _line(ax, worst_p99(own, streams), looks[strategy, variant], partial(told.wait_words, what, limit_ms))


def _line(ax: Axes, found: pd.DataFrame, look: Drawn, says: Callable[..., str]) -> None:
    """Draw a subject: its line, bounds hollow with a caret above, invalid trials as crosses.

    `says` puts into words what a value and whether it is `at_least` that mean.
    """
    curve = over_rates(found)
    rates, values = curve["offered_per_s"].to_numpy(), curve["value"].clip(lower=FLOOR_MS).to_numpy()
    drawn: list[Artist] = []
    for x, y in runs(rates, values):
        drawn += ax.plot(
            x, y, color=look.colour, linestyle=look.line, linewidth=1.5, label=look.name, zorder=2.5
        )
    bounds = curve["at_least"].to_numpy(bool)
    words = [
        f"{look.subject} at {number(rate)}/s: {says(value, at_least=bound)}"
        for rate, value, bound in zip(rates, curve["value"], bounds, strict=True)
    ]
    mark: dict[str, Any] = {
        "linestyle": "none",
        "color": look.colour,
        "marker": look.marker,
        "markersize": 4,
        "zorder": 3,
    }
    for which, face in ((~bounds, {"label": "measured"}), (bounds, _AT_LEAST)):
        (points,) = ax.plot(rates[which], values[which], **mark | face)
        tag(points, look.subject, list(itertools.compress(words, which)))
    drawn += ax.plot(rates[bounds], values[bounds] * 1.22, label="at least", **mark | {"marker": 6})
    invalid = found[~found["valid"].astype(bool)]
    drawn += ax.plot(
        invalid["offered_per_s"],
        invalid["value"].clip(lower=FLOOR_MS),
        label="invalid",
        alpha=0.6,
        **mark | {"marker": "x"},
    )
    for artist in drawn:
        tag(artist, look.subject)


def _theory(ax: Axes, predictions: pd.DataFrame, looks: Drawing) -> None:
    for strategy, variant, own in subjects(predictions):
        curve = over_rates(worst_p99(own, _BYSTANDERS, "predicted_"))
        values = curve["value"].clip(lower=_LEAST_MS)
        for x, y in runs(curve["offered_per_s"].to_numpy(float), values.to_numpy(float)):
            look = looks[strategy, variant]
            (band,) = ax.plot(x, y, color=look.colour, linewidth=5, alpha=0.22, zorder=1.5, label="theory")
            tag(band, look.subject)


def _name_lines(ax: Axes, rows: pd.DataFrame, looks: Drawing, *, shared: bool = True) -> None:
    """Name each piece of each line, and the limit; of few lines that share nothing, only where each ends."""
    ends, points = [], []
    for strategy, variant, own in subjects(rows):
        curve, look = over_rates(worst_p99(own, _BYSTANDERS)), looks[strategy, variant]
        values = curve["value"].clip(lower=FLOOR_MS).to_numpy(float)
        pieces = runs(curve["offered_per_s"].to_numpy(float), values)
        for left, (x, y) in zip(range(len(pieces), 0, -1), pieces, strict=True):
            end = End(float(x[-1]), float(y[-1]), look.name, look.colour, left > 1, look.subject)
            if shared or left == 1:
                ends.append(end)
            points += _along(x, y)
    if shared:
        limit_ms = float(rows["limit_ms"].iloc[0])
        points += label_level(ax, limit_ms, f"limit {milliseconds(limit_ms)}", ALARM, points)
    label_ends(ax, ends, points)


def _along(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """Return places all along a piece of a line, as straight as logarithmic axes draw it."""
    place = np.linspace(0, len(x) - 1, 1 + _PLACES * (len(x) - 1))
    across, up = (np.exp(np.interp(place, np.arange(len(x)), np.log(each))) for each in (x, y))
    return list(zip(across.tolist(), up.tolist(), strict=True))


def _completed(ax: Axes, rows: pd.DataFrame, looks: Drawing) -> None:
    """Draw tasks completed a second on the rates' own scale, with every ceiling that lies within."""
    rate_axis(ax, rows["offered_per_s"])
    low, high = ax.get_xlim()
    least = span(rows["completed_per_s"])[0] / 1.25
    if ax.get_xscale() == "log":
        log_axis(ax, min(low, least), high, "y", time=False, limit=6)
    else:
        ax.set_ylim(low, high)
    ax.plot([low, high], [low, high], color=MUTED, linewidth=0.7, label="keeps up")
    done = rows.assign(value=rows["completed_per_s"], at_least=False)
    for strategy, variant, own in subjects(done):
        _line(
            ax, own[["offered_per_s", "valid", "value", "at_least"]], looks[strategy, variant], told.completed
        )
    ceilings = list(_ceilings(rows, low, high))
    for ceiling in ceilings:
        ax.axhline(ceiling, color=INK, linewidth=0.7, linestyle=_CEILING, zorder=1, label="ceiling")
    end_labels(ax, [(high, ceiling, f"{number(ceiling)}/s", INK) for ceiling in ceilings])


def _ceilings(rows: pd.DataFrame, low: float, high: float) -> Iterator[float]:
    last = 0.0
    for ceiling in sorted(set(rows["ceiling_per_s"].dropna())):
        if low < ceiling < high and ceiling > last * _SAME:
            last = ceiling
            yield ceiling


def _words(part: Part) -> Caption:
    limit = milliseconds(part.tables.manifest.limit_ms)
    subtitle = (
        f"{part.about} · below the dashed line ({limit}) the API is fast; where a line bends up, it blocks"
    )
    behind = "grey: all others" if crowded(part.rows) else "dash-dotted: ceilings"
    notes = (f"Pale bands: theory; {behind}", _READ, few(part.rows))
    return Caption(BLOCKING_CHART.title, subtitle, conditions(part.tables.manifest, part.rows, *notes))


def _drawn(part: Part, words: Caption) -> Figure:
    predictions = at_rates(part.tables.predictions)
    one = part.rows.iloc[0]
    same = np.logical_and.reduce(
        [predictions[name] == one[name] for name in ("kind", "duration_ms", "topology")]
    )
    draw = latency_by_strategy if crowded(part.rows) else latency_of_all
    return draw(part.rows, predictions[same], words)


BLOCKING_CHART: Final = Entry(
    name="blocking",
    title="Where the API starts to block",
    parts=by_condition,
    words=_words,
    draw=_drawn,
    compares=lambda part: has_curve(part.rows),
    needs=lambda _derived: "no trial at a fixed rate was sealed",
    first=True,
)
