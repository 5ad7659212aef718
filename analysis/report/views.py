"""What a page shows under other limits: its points and sentences, judged again from the same trials."""

from dataclasses import replace
from typing import Any

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


def views(
    sources: Sources, condition: Condition, spells: pd.DataFrame, failures: list[Failure]
) -> list[dict[str, Any]]:
    """Return one view a limit, for the page's script; none where the slow spells were not kept."""
    if spells.empty:
        return []
    own = sources.manifest.limit_ms
    others = [each for each in limits_of(sources.manifest) if each != own]
    judged = {own: sources} | {each: judged_by(sources, spells, each, failures, condition) for each in others}
    made = {each: _view(judged[each], condition) for each in sorted(judged)}
    return [{"own": each == own} | view | _moved(view, made[own]) for each, view in made.items()]


def _moved(view: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that another limit moves; all others are those of the campaign's own."""
    if view is own:
        return {}
    cells = {key: cell for key, cell in view["cells"].items() if cell != own["cells"].get(key)}
    return {"cells": cells}


def judged_by(
    sources: Sources,
    spells: pd.DataFrame,
    limit_ms: float,
    failures: list[Failure],
    condition: Condition,
) -> Sources:
    """Return the same trials judged by another limit; bursts are simulated of the condition alone."""
    manifest = under(sources.manifest, limit_ms)
    summary = rejudge(sources.summary, spells, limit_ms)
    points = find_points(summary, manifest, failures, simulated=condition.holds)
    return replace(sources, manifest=manifest, summary=summary, points=points)


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
    return [value.text, value.note, value.source, value.order, value.look]
