"""What of a campaign goes into one chart together, and what their captions say alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pandas as pd

from analysis.charts.conditions import served
from analysis.charts.entry import Part
from analysis.format import milliseconds, number
from analysis.trials.derive import Derived
from analysis.trials.points import CONDITION, at_rates
from analysis.trials.streams import bystanders_in
from results.terms import ENOUGH_FOR_P99, Stream

PERCENTILES: Final = "bold: p99; thin: p50"
SHADED: Final = "Shaded: 95 % interval of the p99 within a run"
CEILING: Final = "Dash-dotted: the ceiling that theory predicts"
BOUNDS: Final = "Upward caret: some requests were never answered, the true value is higher"
_FEW: Final = f"A p99 of fewer than {ENOUGH_FOR_P99} samples is their maximum"


def rows_at_rates(derived: Derived) -> pd.DataFrame:
    """Return the rows of a campaign that belong on a rate axis."""
    return at_rates(open_loop(derived))


def open_loop(derived: Derived) -> pd.DataFrame:
    """Return the rows of a campaign that had a schedule."""
    return derived.summary[~derived.summary["closed"].astype(bool)]


def by_condition(derived: Derived) -> Iterator[Part]:
    """Yield the rows at rates by kind, duration and topology."""
    return conditions_of(derived, rows_at_rates(derived))


def by_kind(derived: Derived) -> Iterator[Part]:
    """Yield the rows at rates by kind and topology."""
    for (kind, topology), own in rows_at_rates(derived).groupby(["kind", "topology"], sort=True):
        about = ", ".join([f"{kind} tasks", str(topology), *served(derived.manifest)])
        yield Part(derived, own, f"{kind}-{topology}", about)


def points_by_kind(derived: Derived) -> Iterator[Part]:
    """Yield the points of each kind and topology, with the rows at rates that they were made from."""
    points = derived.points
    for part in by_kind(derived):
        one = part.rows.iloc[0]
        asked = points[(points["kind"] == one["kind"]) & (points["topology"] == one["topology"])]
        yield replace(part, rows=asked, trials=part.rows)


def conditions_of(derived: Derived, rows: pd.DataFrame) -> Iterator[Part]:
    """Yield any rows by kind, duration and topology."""
    for (kind, duration, topology), own in rows.groupby(CONDITION, sort=True):
        duration_ms = float(str(duration))
        tasks = f"{kind} tasks of {milliseconds(duration_ms)}"
        about = ", ".join([tasks, str(topology), *served(derived.manifest)])
        yield Part(derived, own, f"{kind}-{in_a_name(duration_ms)}ms-{topology}", about)


def in_a_name(value: float) -> str:
    """Return a number as file names hold it."""
    return f"{value:g}".replace(".", "_")


def samples(rows: pd.DataFrame) -> str:
    """Say how many samples of bystanders a point has."""
    counts = rows[[f"{stream.column}_n" for stream in bystanders_in(rows)]].to_numpy()
    low, high = number(counts.min()), number(counts.max())
    return f"{low} samples a point" if low == high else f"{low} to {high} samples a point"


def few(rows: pd.DataFrame) -> str:
    """Say that a p99 is a maximum, where one is."""
    counts = rows[[f"{stream.column}_n" for stream in Stream]].to_numpy()
    return _FEW if ((counts > 0) & (counts < ENOUGH_FOR_P99)).any() else ""


def bounds(rows: pd.DataFrame, *names: str) -> str:
    """Say that some percentiles of these columns may be higher, where some may."""
    return BOUNDS if rows[[f"{name}_p99_at_least" for name in names]].any(axis=None) else ""
