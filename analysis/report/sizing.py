"""Who was measured to carry which rate, and at what cost: what a page's calculator reckons with."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.format import milliseconds
from analysis.report.half_load import Step, half_loads, waited
from analysis.report.needs import Sources
from analysis.report.reach import Condition, Reach, reaches
from analysis.report.survival import KILLED, survives
from analysis.report.table import NOTHING
from analysis.trials.curves import over_rates, worst_p99
from analysis.trials.points import at_rates
from analysis.trials.questions import QUESTIONS, SATURATION
from results.terms import BYSTANDERS, Stream

BUSY: Final = 0.8
"""share of its time that a slot may be busy: from ten slots on, 99 of 100 tasks wait less than one lasts"""


def carriers(sources: Sources, first: Condition) -> list[dict[str, Any]]:
    """Return who carries what: an entry a duration, of the kind and topology that a page tells first."""
    points = sources.points
    own = points[(points["kind"] == first.kind) & (points["topology"] == first.topology)]
    return [
        {
            "duration_ms": duration_ms,
            "duration": milliseconds(duration_ms),
            "subjects": list(_subjects(sources, replace(first, duration_ms=duration_ms))),
        }
        for duration_ms in sorted(set(own["duration_ms"]))
    ]


def carried(points: pd.DataFrame, first: Condition) -> dict[str, dict[str, dict[str, Any]]]:
    """Return of the same what another limit moves: by duration and subject, up to which rate it carries."""
    own = points[(points["kind"] == first.kind) & (points["topology"] == first.topology)]
    return {
        milliseconds(duration_ms): {
            reach.name: _carries(reach) for reach in reaches(points, replace(first, duration_ms=duration_ms))
        }
        for duration_ms in sorted(set(own["duration_ms"]))
    }


def _subjects(sources: Sources, condition: Condition) -> Iterator[dict[str, Any]]:
    steps, summary = half_loads(sources.summary, condition), sources.summary
    rows = condition.of(at_rates(summary[~summary["closed"].astype(bool)]))
    for reach in reaches(sources.points, condition):
        service = sources.manifest.subject(reach.name).services.get(condition.kind)
        kills = (survives(reach.name, drill, sources.facts, sources.manifest) for drill in KILLED)
        yield {
            "name": reach.name,
            "what": sources.manifest.subject(reach.name).summary,
            **_carries(reach),
            "by": "worker" if sources.manifest.subject(reach.name).workers else "web process",
            "slots": service.slots if service else 0,
            **_costs(steps.get((reach.strategy, reach.variant))),
            "cores": _cores(rows, reach),
            "others": _waits(rows, reach, BYSTANDERS),
            "slowest": _waits(rows, reach, Stream),
            "kills": [[value.plain, value.look] for value in kills],
        }


def _carries(reach: Reach) -> dict[str, Any]:
    return {
        "held": reach.held_per_s or 0.0,
        "reach": reach.interval,
        "failed": reach.failed_per_s,
        "first": QUESTIONS[reach.first].words if reach.first else "",
        "shaky": reach.shaky,
    }


def _waits(rows: pd.DataFrame, reach: Reach, streams: Iterable[Stream]) -> list[list[Any]]:
    """Return how long the worst of some streams took at each rate, in words, by p99."""
    own = rows[(rows["strategy"] == reach.strategy) & (rows["variant"] == reach.variant)]
    curve = over_rates(worst_p99(own, [stream.column for stream in streams]))
    return [
        [float(rate), ("≥ " if bound else "") + milliseconds(value)]
        for rate, value, bound in zip(curve["offered_per_s"], curve["value"], curve["at_least"], strict=True)
    ]


def _cores(rows: pd.DataFrame, reach: Reach) -> list[list[float]]:
    """Return how many cores all processes used together at each rate with which the work kept up."""
    kept = rows[rows["valid"].astype(bool) & ~rows[QUESTIONS[SATURATION].column].astype(bool)]
    own = kept[(kept["strategy"] == reach.strategy) & (kept["variant"] == reach.variant)]
    used = own[[f"{role}_cpu_cores" for role in ROLE_COLOURS]].sum(axis=1)
    by_rate = used[used > 0].groupby(own["offered_per_s"]).median()
    return [list(pair) for pair in zip(by_rate.index.astype(float), by_rate.astype(float), strict=True)]


def _costs(step: Step | None) -> dict[str, Any]:
    """Return the memory of all processes in MiB, None where it is not known, and how soon a task starts."""
    if step is None:
        return {"memory_mib": None, "starts": NOTHING}
    memory_mib = float(np.nansum([step[f"{role}_rss_mib"] for role in ROLE_COLOURS]))
    known = math.isfinite(float(step["queue_wait_p99_ms"]))
    return {
        "memory_mib": memory_mib or None,
        "starts": waited(step, "queue_wait_p99").text if known else NOTHING,
    }
