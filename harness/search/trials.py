"""From a step of a search to the plan of its trial, and from what the trial showed back to the search."""

from collections.abc import Mapping
from typing import Any

from analysis.trials.questions import QUESTIONS
from analysis.trials.slowness_by_rate import seen_in
from harness.search.confirm import Step
from harness.search.goal import Observation
from harness.search.profiles import search_seconds, stairs_seconds
from results.schema import Plan, Point
from results.terms import STAIRS, STEADY


def planned(point: Point, step: Step, seed: int, repeat: int = 0) -> Plan:
    """Return the plan of a search's next trial, without a name."""
    stairs = step.stairs
    usual = stairs_seconds(point, len(stairs)) if stairs else search_seconds(point, step.rate_per_s)
    return Plan(
        trial_id="",
        subject=point.subject,
        kind=point.kind,
        duration_ms=point.duration_ms,
        scenario=STAIRS if stairs else STEADY,
        rate_per_s=step.rate_per_s,
        seconds=step.seconds or usual * step.longer,
        seed=seed,
        repeat=repeat,
        topology=point.topology,
        bystander_per_s=point.bystander_per_s,
        whole=step.seconds is not None,
        options=[*point.options, *(["--rates", ",".join(f"{each:g}" for each in stairs)] if stairs else [])],
    )


def observed(row: Mapping[Any, Any], limit_ms: float) -> Observation:
    """Return what a row of the summary shows, a step of a valid trial."""
    rate_per_s = float(row["offered_per_s"])
    return Observation(
        rate_per_s=rate_per_s,
        verdicts={name: question.verdict(rate_per_s, row) for name, question in QUESTIONS.items()},
        completions_per_s=float(row["completion_slope_per_s"]),
        streams=seen_in(rate_per_s, row, limit_ms).streams,
    )
