"""What a page shows under other limits: its points and sentences, judged again from the same trials."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.format import milliseconds
from analysis.report.headline import headline
from analysis.report.needs import Sources, needs
from analysis.report.reach import Condition
from analysis.report.sections import every_point
from analysis.report.table import Table, Value
from analysis.trials.points import find_points
from analysis.trials.rejudge import limits_of, rejudge, under
from results.failures import Failure


def views(
    sources: Sources, condition: Condition, spells: pd.DataFrame, failures: list[Failure]
) -> list[dict[str, Any]]:
    """Return one view a limit, for the page's script; none where the slow spells were not kept."""
    if spells.empty:
        return []
    own = sources.manifest.limit_ms
    return [
        {"own": each == own} | _view(judged_by(sources, spells, each, failures), condition)
        for each in limits_of(sources.manifest)
    ]


def judged_by(sources: Sources, spells: pd.DataFrame, limit_ms: float, failures: list[Failure]) -> Sources:
    """Return the same trials judged by another limit."""
    manifest = under(sources.manifest, limit_ms)
    summary = rejudge(sources.summary, spells, limit_ms)
    return replace(
        sources, manifest=manifest, summary=summary, points=find_points(summary, manifest, failures)
    )


def _view(sources: Sources, condition: Condition) -> dict[str, Any]:
    tables = [*needs(sources, condition), *every_point(sources, condition)]
    return {
        "limit_ms": sources.manifest.limit_ms,
        "limit": milliseconds(sources.manifest.limit_ms),
        "sentences": headline(sources.summary, sources.points, sources.manifest, condition, sources.facts),
        "cells": {f"{table.name} {value.key}": _cell(value) for table, value in _moving(tables)},
    }


def _moving(tables: Iterable[Table]) -> Iterator[tuple[Table, Value]]:
    for table in tables:
        yield from ((table, value) for row in table.rows for value in row.cells if value.key)


def _cell(value: Value) -> list[Any]:
    return [value.text, value.note, value.source, value.sort, value.look]
