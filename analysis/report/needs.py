"""The table by which to decide: what each subject can be relied on for, each cell with its source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analysis.format import milliseconds
from analysis.order import subjects
from analysis.report.half_load import cost, half_loads, no_step, starts_within
from analysis.report.rates import point_key, reliable_rates
from analysis.report.reach import Condition
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


def needs(sources: Sources, condition: Condition) -> list[Table]:
    """Return the table of the condition's kind and topology: first the part that holds its duration."""
    points = sources.points
    own = points[(points["kind"] == condition.kind) & (points["topology"] == condition.topology)]
    durations = sorted(set(own["duration_ms"]))
    parts = [durations[at : at + _ABREAST] for at in range(0, len(durations), _ABREAST)]
    parts.sort(key=lambda part: condition.duration_ms not in part)
    rows = _rows(sources, own, condition, parts)
    about = f"{condition.kind} tasks, {condition.topology}, limit {milliseconds(sources.manifest.limit_ms)}"
    caption = f"What to rely on: {about}, rates in tasks/s"
    return [Table(f"needs{n or ''}", caption, _columns(part), rows[n]) for n, part in enumerate(parts)]


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
