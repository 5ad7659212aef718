"""The table by which to decide: what each subject can be relied on for, each cell with its source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from analysis.format import milliseconds
from analysis.order import subjects
from analysis.report.half_load import cost, half_loads, no_step, starts_within
from analysis.report.rates import point_key, reliable_rates
from analysis.report.reach import Condition, nearest
from analysis.report.survival import KILLED, Facts, survives
from analysis.report.table import Column, Row, Table, Value
from analysis.trials.questions import BLOCKING, SATURATION
from results.schema import Manifest

_ABREAST: Final = 4
"""durations beside each other; more of them make another table"""
_UP_TO: Final = {BLOCKING: "API stays fast up to", SATURATION: "Keeps up to"}
_UNPLANNED: Final = Value("untried", source="nothing of it was planned", look="unsure")


@dataclass(frozen=True)
class Sources:
    """What the tables of a page are made from."""

    manifest: Manifest
    summary: pd.DataFrame
    points: pd.DataFrame
    facts: Facts


def needs(sources: Sources, first: Condition) -> list[Table]:
    """Return the tables of every kind and topology: first the one that holds the condition told first."""
    made = [
        table for condition in _conditions(sources.points, first) for table in _tables(sources, condition)
    ]
    return [replace(table, name=f"needs{place or ''}") for place, table in enumerate(made)]


def _conditions(points: pd.DataFrame, first: Condition) -> list[Condition]:
    """Return one condition a kind and topology, of the same duration or the nearest."""
    pairs = dict.fromkeys(zip(points["kind"], points["topology"], strict=True))
    own = (first.kind, first.topology)
    return [
        nearest(points, *pair, first.duration_ms)
        for pair in sorted(pairs, key=lambda pair: (pair != own, pair))
    ]


def _tables(sources: Sources, condition: Condition) -> list[Table]:
    """Return the tables of one kind and topology, the part first that holds the condition's duration."""
    points, limit = sources.points, milliseconds(sources.manifest.limit_ms)
    own = points[(points["kind"] == condition.kind) & (points["topology"] == condition.topology)]
    durations = sorted(set(own["duration_ms"]))
    parts = [durations[at : at + _ABREAST] for at in range(0, len(durations), _ABREAST)]
    parts.sort(key=lambda part: condition.duration_ms not in part)
    rows = _rows(sources, own, condition, parts)
    at = f"start and cost at {milliseconds(condition.duration_ms)}"
    caption = f"What to rely on: {condition.kind} tasks, {condition.topology}, rates in tasks/s, {at}"
    return [Table("needs", caption, _columns(part), rows[n], limit) for n, part in enumerate(parts)]


def _columns(durations: Sequence[float]) -> list[Column]:
    columns = [Column(milliseconds(each), up_to) for up_to in _UP_TO.values() for each in durations]
    columns += [Column("Starts within"), Column("CPU a task, memory")]
    return columns + [Column(label, "Survives a killed", numeric=False) for label in KILLED.values()]


def _rows(
    sources: Sources, points: pd.DataFrame, condition: Condition, parts: Sequence[Sequence[float]]
) -> list[list[Row]]:
    """Return the rows of each part: they differ in the rates alone."""
    manifest, rates = sources.manifest, reliable_rates(points, sources.manifest)
    steps = half_loads(sources.summary, condition)
    rows: list[list[Row]] = [[] for _ in parts]
    for strategy, variant, _ in subjects(points):
        subject, step = f"{strategy}/{variant}", steps.get((strategy, variant))
        common = [starts_within(step, manifest), cost(step, manifest)] if step else []
        common = common or [no_step(sources.summary, condition, strategy, variant)] * 2
        common += [survives(subject, drill, sources.facts, manifest) for drill in KILLED]
        for own, part in zip(rows, parts, strict=True):
            keys = (
                point_key(subject, condition.kind, each, condition.topology, name)
                for name in _UP_TO
                for each in part
            )
            own.append(Row(strategy, variant, [*(rates.get(key, _UNPLANNED) for key in keys), *common]))
    return rows
