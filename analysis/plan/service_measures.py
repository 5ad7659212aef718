"""What the campaign of a service says that a plan needs: its points, its costs, and how fast it answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from analysis.plan.measures import Cost, costs, processor_and_python, target_cores
from analysis.trials.brackets import Bracket
from analysis.trials.culprit import Culprit, culprit_of
from analysis.trials.endings import Ending
from analysis.trials.load import load_campaign
from analysis.trials.points import at_rates, by_question, edges, find_points, unseen
from analysis.trials.questions import BLOCKING, QUESTIONS
from analysis.trials.rejudge import under
from analysis.trials.summary import summarise_campaign
from results.errors import BlockpointError
from results.failures import read_failures
from results.schema import Subject
from results.text import named

STREAMS: Final = ("accept", "bystander_1", "bystander_2", "bystander_3")


@dataclass(frozen=True)
class MeasuredPoint:
    """Where one question was answered, of the service as it was measured."""

    question: str
    bracket: Bracket
    doubt: str
    """what the answer leaves open; may be empty"""


@dataclass(frozen=True)
class Latencies:
    """The p99 in ms of each request at one rate that held, by its words."""

    rate_per_s: float
    p99_ms: dict[str, float]
    trial_id: str


@dataclass(frozen=True)
class ServiceMeasures:
    """What one campaign says of a service."""

    campaign: str
    subject: Subject
    limit_ms: float
    """by which it was judged"""
    cores: int
    """that it had in all"""
    cpu_model: str
    python: str
    points: tuple[MeasuredPoint, ...]
    """one a question that could be asked"""
    culprit: Culprit
    costs: tuple[Cost, ...]
    held: tuple[Latencies, ...]
    """by rate"""
    highest_per_s: float
    """the highest rate that was offered in a valid trial"""
    trials: tuple[str, ...]


def read_service_measures(folder: Path, limit_ms: float | None = None) -> ServiceMeasures:
    """Return what a campaign says, judged by another limit than its own where one is given.

    Raises BlockpointError where no trial of it counts.
    """
    measured = load_campaign(folder)
    manifest = under(measured.manifest, limit_ms)
    summary = summarise_campaign(measured, manifest)
    if summary.empty:
        raise BlockpointError(f"{named(folder)}: holds only drills, which tell no rate")
    valid = at_rates(summary[summary["valid"].astype(bool)])
    if valid.empty:
        raise BlockpointError(f"{named(folder)}: no trial of it is valid, so that it tells nothing")
    subject = manifest.subjects[0]
    rows = by_question(find_points(summary, manifest, read_failures(folder)))
    cpu_model, python = processor_and_python(manifest)
    held = valid[~valid["blocked"].astype(bool) & ~valid["behind"].astype(bool)]
    return ServiceMeasures(
        campaign=manifest.campaign,
        subject=subject,
        limit_ms=manifest.limit_ms,
        cores=target_cores(manifest),
        cpu_model=cpu_model,
        python=python,
        points=tuple(_point(row) for row in rows.values() if not unseen(row)),
        culprit=_culprit(rows[BLOCKING], subject),
        costs=tuple(_costs(held)),
        held=tuple(_latencies(row, subject) for row in held.sort_values("offered_per_s").to_dict("records")),
        highest_per_s=float(valid["offered_per_s"].max()),
        trials=tuple(dict.fromkeys(valid["trial_id"])),
    )


def _costs(held: pd.DataFrame) -> Iterator[Cost]:
    """Yield what a task takes: no more than all that was used at the busiest rate, bystanders included."""
    for cost in costs(held, "offered_per_s"):
        busiest = held.iloc[int(held["offered_per_s"].to_numpy(float).argmax())]
        most_ms = 1000 * float(busiest[f"{cost.role}_cpu_cores"] / busiest["offered_per_s"])
        low, middle, high = (min(each, most_ms) for each in cost.task_ms)
        yield msgspec.structs.replace(cost, task_ms=(low, middle, high))


def _point(row: dict[str, Any]) -> MeasuredPoint:
    question, ended = QUESTIONS[row["question"]], Ending(row["ending"])
    doubts = [question.doubt] if row["shaky"] else []
    doubts += [f"unfinished: {row['wider_because']}"] if ended.open else []
    return MeasuredPoint(question.name, edges(row), "; ".join(doubts))


def _culprit(row: dict[str, Any], subject: Subject) -> Culprit:
    return culprit_of([name for name in row["by"].split(", ") if name], row["core_bound"], subject)


def _latencies(row: dict[Any, Any], subject: Subject) -> Latencies:
    told = {
        subject.asked[column]: float(row[f"{column}_p99_ms"])
        for column in STREAMS
        if column in subject.asked and np.isfinite(row[f"{column}_p99_ms"])
    }
    return Latencies(float(row["offered_per_s"]), told, str(row["trial_id"]))
