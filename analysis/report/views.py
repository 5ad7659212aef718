"""What a page shows under other limits: its points and sentences, judged again from the same trials."""

from dataclasses import replace
from typing import Any, Final

import pandas as pd

from analysis.format import milliseconds
from analysis.report.headline import headline
from analysis.report.needs import Sources
from analysis.report.rates import every_point, reliable_rates
from analysis.report.reach import Condition
from analysis.report.sizing import carried
from analysis.report.table import Value
from analysis.trials.burst_words import sentence_on_bursts
from analysis.trials.points import find_points
from analysis.trials.rejudge import limits_of, rejudge, under
from results.failures import Failure

_NO_VERDICT: Final = ("_p50_ms", "_p99_ms", "_low_ms", "_high_ms", "_at_least", "_rss_mib")
"""how the names of columns end from which no point is found: many, and slow to carry along"""


def views(
    sources: Sources, condition: Condition, spells: pd.DataFrame, failures: list[Failure]
) -> list[dict[str, Any]]:
    """Return one view a limit, for the page's script; none where the slow spells were not kept."""
    if spells.empty:
        return []
    own = sources.manifest.limit_ms
    others = [each for each in limits_of(sources.manifest) if each != own]
    judged = {own: sources} | {each: judged_by(sources, spells, each, failures) for each in others}
    return [{"own": each == own} | _view(judged[each], condition) for each in sorted(judged)]


def judged_by(sources: Sources, spells: pd.DataFrame, limit_ms: float, failures: list[Failure]) -> Sources:
    """Return the same trials judged by another limit."""
    manifest = under(sources.manifest, limit_ms)
    summary = rejudge(sources.summary, spells, limit_ms)
    return replace(
        sources, manifest=manifest, summary=summary, points=find_points(summary, manifest, failures)
    )


def _view(sources: Sources, condition: Condition) -> dict[str, Any]:
    rates = reliable_rates(sources.points, sources.manifest).values()
    points = (value for row in every_point(sources.points, sources.manifest).rows for value in row.cells)
    return {
        "limit_ms": sources.manifest.limit_ms,
        "limit": milliseconds(sources.manifest.limit_ms),
        "sentences": headline(sources.summary, sources.points, sources.manifest, condition, sources.facts),
        "bursts": sentence_on_bursts(condition.of(sources.points)),
        "carried": carried(sources.points, condition),
        "cells": {value.key: _cell(value) for value in (*rates, *points) if value.key},
    }


def _cell(value: Value) -> list[Any]:
    return [value.text, value.note, value.source, value.sort, value.look]
