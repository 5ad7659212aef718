"""Which charts a campaign gets: every one that its trials can fill, and a sentence for those they cannot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from analysis.charts.burst import burst_timeline
from analysis.charts.conditions import conditions
from analysis.charts.cost import cost_by_role
from analysis.charts.frontier import frontier
from analysis.charts.grid import Caption
from analysis.charts.heatmap import heatmap
from analysis.charts.latency import latency_by_duration, latency_by_rate
from analysis.charts.prediction import predictable, predicted
from analysis.charts.scales import padded
from analysis.charts.work import queue_wait, throughput
from analysis.format import milliseconds, number
from analysis.trials.ceilings import ceilings
from analysis.trials.derive import Derived
from analysis.trials.points import CONDITION, at_rates
from analysis.trials.verdicts import STREAMS
from results.terms import ENOUGH_FOR_P99

ANSWERS: Final = ("frontier-", "heatmap-")
"""how the names of the charts begin that a report shows first"""
_P: Final = "bold: p99; thin: p50"
_SHADED: Final = "Shaded: 95 % interval of the p99 within a run"
_CEILING: Final = "Dash-dotted: the ceiling that theory predicts"
_EDGES: Final = (
    "A bar reaches from the highest rate that held to the lowest that failed; "
    "marks of one duration stand side by side"
)
_SHAKY: Final = "Shaky: repeats disagree, or a margin of error crosses the limit"
_WORST: Final = "A cell shows its worst valid trial"
_STEADY: Final = "Grey curve: the p99 of a pool's wait in steady state (M/D/c)"
_AGREES: Final = "Agrees: within 20 % or 10 ms of what a valid trial measured"
_FEW: Final = f"A p99 of fewer than {ENOUGH_FOR_P99} samples is their maximum"
_BOUNDS: Final = "Upward caret: some requests were never answered, the true value is higher"

Key = tuple[str, float, str]
Draw = Callable[[pd.DataFrame, Caption], Figure]


@dataclass(frozen=True)
class Chart:
    """A chart that can be drawn, or the reason why it cannot."""

    name: str
    """file name without suffix"""
    words: Caption
    draw: Callable[[], Figure] | None
    """None where the campaign has nothing to fill it with; then the caption says what is missing"""


def catalogue(derived: Derived) -> Iterator[Chart]:
    """Yield the charts of a campaign in the order of a report."""
    summary = derived.summary[~derived.summary["closed"].astype(bool)]
    steady = at_rates(summary)
    if steady.empty:
        yield _missing("latency", "Where the API starts to block", "no trial at a fixed rate was sealed")
    yield from _answers(derived, steady)
    for key, rows in _grouped(steady, CONDITION):
        yield from _by_rate(derived, rows, key)
    yield from _by_duration(derived, summary)
    yield from _bursts(derived, summary)
    for key, rows in _grouped(steady, CONDITION):
        yield _cost(derived, rows, key)
    for key, rows in _grouped(predictable(at_rates(derived.predictions)), CONDITION):
        yield _predicted(derived, rows, key)


def at_durations(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at a rate that was measured at several durations, sweeps before steady trials."""
    rows = summary[summary["scenario"].isin(["duration_sweep", "steady"])]
    key = ["strategy", "variant", "kind", "topology", "offered_per_s"]
    several = rows.groupby(key)["duration_ms"].transform("nunique") > 1
    return rows[several]


def _answers(derived: Derived, rows: pd.DataFrame) -> Iterator[Chart]:
    points = derived.points
    for (kind, topology), own in rows.groupby(["kind", "topology"], sort=True):
        asked = points[(points["kind"] == kind) & (points["topology"] == topology)]
        yield _frontier(derived, asked, own, str(kind), str(topology))
    for (kind, topology), own in rows.groupby(["kind", "topology"], sort=True):
        limit = milliseconds(derived.manifest.limit_ms)
        subtitle = f"{kind} tasks, {topology} · worst p99 of /ping and /ping-sync; the limit is {limit}"
        caption = conditions(derived.manifest, own, _WORST, _few(own), invalid_are="left out")
        words = Caption("What an unrelated request goes through", subtitle, caption)
        yield _chart(f"heatmap-{kind}-{topology}", words, heatmap, own)


def _frontier(derived: Derived, points: pd.DataFrame, rows: pd.DataFrame, kind: str, topology: str) -> Chart:
    name, title = f"frontier-{kind}-{topology}", "Where each strategy gives way"
    if points[["held_per_s", "failed_per_s"]].isna().all(axis=None):
        return _missing(name, title, f"{kind} tasks, {topology}: no trial is valid")
    limit = milliseconds(derived.manifest.limit_ms)
    subtitle = f"{kind} tasks, {topology} · the API blocks where the p99 of a stream is above {limit}"
    words = Caption(
        title, subtitle, conditions(derived.manifest, rows, _EDGES, _SHAKY, invalid_are="left out")
    )
    limits = ceilings(derived.manifest, points, padded(points["duration_ms"]))
    return Chart(name, words, lambda: frontier(points, words, limits))


def _by_rate(derived: Derived, rows: pd.DataFrame, key: Key) -> Iterator[Chart]:
    tail, about = _names(*key)
    bounds = _BOUNDS if rows.filter(regex="(accept|ping|ping_sync)_p99_at_least").any(axis=None) else ""
    notes = (_CEILING, _SHADED, f"Bystanders: {_samples(rows)}", _few(rows), bounds)
    caption = conditions(derived.manifest, rows, *notes)
    yield _chart(
        f"latency-{tail}",
        Caption("Where the API starts to block", f"{about} · latency from the due time, {_P}", caption),
        latency_by_rate,
        rows,
    )
    caption = conditions(derived.manifest, rows, _CEILING)
    yield _chart(
        f"throughput-{tail}",
        Caption("Where the work falls behind", f"{about} · on the diagonal the work keeps up", caption),
        throughput,
        rows,
    )
    bounds = _BOUNDS if rows["queue_wait_p99_at_least"].any() else ""
    yield _chart(
        f"queue-wait-{tail}",
        Caption(
            "How long tasks wait for a slot",
            f"{about} · from accepted to started, {_P}",
            conditions(derived.manifest, rows, _CEILING, bounds),
        ),
        queue_wait,
        rows,
    )


def _by_duration(derived: Derived, summary: pd.DataFrame) -> Iterator[Chart]:
    rows = at_durations(summary)
    if rows.empty:
        reason = "no rate was measured at more than one task duration"
        yield _missing("duration", "What longer tasks do to the API", reason)
    for (kind, rate, topology), own in _grouped(rows, ["kind", "offered_per_s", "topology"]):
        notes = ("Grey: saturated by theory", _SHADED, f"Bystanders: {_samples(own)}", _few(own))
        subtitle = f"{kind} tasks at {number(rate)}/s, {topology} · latency from the due time, {_P}"
        yield _chart(
            f"duration-{kind}-{_plain(rate)}-per-s-{topology}",
            Caption("What longer tasks do to the API", subtitle, conditions(derived.manifest, own, *notes)),
            latency_by_duration,
            own,
        )


def _bursts(derived: Derived, summary: pd.DataFrame) -> Iterator[Chart]:
    if derived.bursts.empty:
        yield _missing("burst", "What a burst does", "no `burst` trial was sealed")
        return
    for key, bins in _grouped(derived.bursts, CONDITION):
        tail, about = _names(*key)
        shown = pd.MultiIndex.from_frame(bins[["trial_id", "attempt"]])
        rows = summary[pd.MultiIndex.from_frame(summary[["trial_id", "attempt"]]).isin(shown)]
        subtitle = (
            f"{about} · grey area: arrivals, line: completions · worst latency: accepting in colour, "
            "/ping grey, /ping-sync dashed"
        )
        yield _chart(
            f"burst-{tail}",
            Caption(
                "What a burst does", subtitle, conditions(derived.manifest, rows, invalid_are="drawn in grey")
            ),
            burst_timeline,
            bins,
        )


def _cost(derived: Derived, rows: pd.DataFrame, key: Key) -> Chart:
    tail, about = _names(*key)
    title = "What it costs"
    if not rows["valid"].astype(bool).any():
        return _missing(f"cost-{tail}", title, f"{about}: no trial is valid")
    subtitle = f"{about} · at the highest rate at which most keep up, else the nearest that was measured"
    caption = conditions(derived.manifest, rows, invalid_are="left out")
    return _chart(f"cost-{tail}", Caption(title, subtitle, caption), cost_by_role, rows)


def _predicted(derived: Derived, rows: pd.DataFrame, key: Key) -> Chart:
    tail, about = _names(*key)
    subtitle = (
        f"{about} · filled: measured, open: predicted by following the queue on the trial's own schedule"
    )
    caption = conditions(derived.manifest, rows, _CEILING, _STEADY, _AGREES)
    return _chart(f"predicted-{tail}", Caption("What theory knew", subtitle, caption), predicted, rows)


def _chart(name: str, words: Caption, draw: Draw, rows: pd.DataFrame) -> Chart:
    return Chart(name, words, lambda: draw(rows, words))


def _missing(name: str, title: str, reason: str) -> Chart:
    return Chart(name, Caption(title, "", f"Not drawn: {reason}."), None)


def _names(kind: str, duration_ms: float, topology: str) -> tuple[str, str]:
    return (
        f"{kind}-{_plain(duration_ms)}ms-{topology}",
        f"{kind} tasks of {milliseconds(duration_ms)}, {topology}",
    )


def _plain(value: float) -> str:
    return f"{value:g}".replace(".", "_")


def _grouped(rows: pd.DataFrame, by: list[str]) -> Iterator[tuple[Key, pd.DataFrame]]:
    for key, own in rows.groupby(by, sort=True):
        kind, value, topology = (str(part) for part in key)
        yield (kind, float(value), topology), own


def _few(rows: pd.DataFrame) -> str:
    counts = rows[[f"{name}_n" for name in STREAMS]].to_numpy()
    return _FEW if ((counts > 0) & (counts < ENOUGH_FOR_P99)).any() else ""


def _samples(rows: pd.DataFrame) -> str:
    counts = rows[["ping_n", "ping_sync_n"]].to_numpy()
    low, high = number(counts.min()), number(counts.max())
    return f"{low} samples a point" if low == high else f"{low} to {high} samples a point"
