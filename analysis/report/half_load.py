"""What a subject waits and costs at about half of what it keeps up with: neither idle nor at its edge."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.report.reach import Condition
from analysis.report.table import Value
from analysis.trials.points import at_rates
from analysis.trials.questions import QUESTIONS, SATURATION
from results.schema import Manifest

Step = Mapping[Any, Any]
_HALF: Final = 0.5


def half_loads(summary: pd.DataFrame, condition: Condition) -> dict[tuple[str, str], Step]:
    """Return of each subject the step nearest to half of the highest rate at which its work kept up.

    Behind a growing backlog any wait is as long as the trial, so that other steps do not count, and a
    subject without one is left out. `place` is the step's row of the summary.
    """
    rows = summary[summary["valid"].astype(bool) & ~summary["closed"].astype(bool)]
    rows = condition.of(at_rates(rows)) if len(rows) else rows
    kept = rows[~rows[QUESTIONS[SATURATION].column].astype(bool)]
    return {(strategy, variant): _nearest(own) for strategy, variant, own in subjects(kept)}


def _nearest(own: pd.DataFrame) -> Step:
    half = _HALF * float(own["offered_per_s"].max())
    apart = np.abs(np.log(own["offered_per_s"].to_numpy(float) / half))
    chosen = own.iloc[int(apart.argmin())]
    return {**chosen.to_dict(), "place": chosen.name}


def no_step(summary: pd.DataFrame, condition: Condition, strategy: str, variant: str) -> Value:
    """Return, in a word, why a subject has no step at half load."""
    rows = condition.of(summary)
    own = rows[(rows["strategy"] == strategy) & (rows["variant"] == variant)]
    if own.empty:
        return Value("untried", source="no trial under this condition", look="unsure")
    if not own["valid"].any():
        return Value("refused", source="no trial passed the gate", look="unsure")
    return Value("overloaded", source="no valid trial in which the work kept up", look="unsure")


def starts_within(step: Step, manifest: Manifest) -> Value:
    """Return how long 99 of 100 tasks waited at most, and at which rate."""
    wait = float(step["queue_wait_p99_ms"])
    if not np.isfinite(wait):
        return Value("unseen", source="none of its tasks was seen to start", look="unsure")
    return Value(waited(step, "queue_wait_p99").text, f"at {rate(step).text}", wait, *_source(step, manifest))


def waited(step: Step, name: str) -> Value:
    """Return a percentile; `≥` stands before one with open samples."""
    mark = "≥ " if step[f"{name}_at_least"] else ""
    return Value(mark + milliseconds(step[f"{name}_ms"]), sort=float(step[f"{name}_ms"]))


def rate(step: Step) -> Value:
    """Return the rate at which a step was, with a link to its row."""
    offered = float(step["offered_per_s"])
    return Value(f"{number(offered)}/s", sort=offered, link=row_anchor(int(step["place"])))


def cost(step: Step, manifest: Manifest) -> Value:
    """Return the processor time that a task costs, and beneath it the memory of all processes."""
    cpu_ms = sum(filter(np.isfinite, (cpu_a_task_ms(step, role) for role in ROLE_COLOURS)))
    if not cpu_ms > 0:
        return Value("unseen", source="its processes could not be watched", look="unsure")
    memory = np.nansum([step[f"{role}_rss_mib"] for role in ROLE_COLOURS])
    return Value(milliseconds(cpu_ms), f"{number(memory)} MiB", float(cpu_ms), *_source(step, manifest))


def cpu_a_task_ms(step: Step, role: str) -> float:
    """Return the processor time of a role for each task that it completed."""
    done = float(step["completed_per_s"])
    return 1000 * float(step[f"{role}_cpu_cores"]) / done if done > 0 else np.nan


def _source(step: Step, manifest: Manifest) -> tuple[str, str]:
    return f"{manifest.campaign}: trial {step['trial_id']}", row_anchor(int(step["place"]))


def row_anchor(place: int) -> str:
    """Return the anchor of a row of the summary."""
    return f"row-{place}"
