"""What campaigns answer to an objective: met, missed, or not known, and by which trials."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import pandas as pd

from analysis.format import milliseconds, number
from analysis.trials.load import load_campaign
from analysis.trials.points import CONDITION, edges, find_points
from analysis.trials.questions import QUESTIONS
from analysis.trials.summary import summarise_campaign
from analysis.verify.objective import Objective
from results.failures import read_failures
from results.schema import Trial
from results.terms import Fate

SAME_RATE: Final = 1.02
"""factor by which a trial's rate may differ from the one that was asked for"""


class Standing(IntEnum):
    """How an objective stands."""

    MET = 0
    MISSED = 1
    UNKNOWN = 2


@dataclass(frozen=True)
class Checked:
    """One objective and one subject under one condition."""

    objective: str
    about: str
    """what was asked, of whom"""
    standing: Standing
    because: str
    """what was measured"""


@dataclass(frozen=True)
class Grounds:
    """A campaign as far as objectives ask of it."""

    name: str
    summary: pd.DataFrame
    """of trials; empty where it holds only drills"""
    points: pd.DataFrame
    drills: list[Trial]


def read_evidence(folder: Path) -> Grounds:
    """Return what a campaign holds; raises BlockpointError where it cannot be read."""
    measured = load_campaign(folder)
    summary = summarise_campaign(measured, measured.manifest)
    points = find_points(summary, measured.manifest, read_failures(folder)) if len(summary) else summary
    drills = [trial for trial in measured.trials if trial.plan.drill and trial.valid]
    return Grounds(measured.manifest.campaign, summary, points, drills)


def checked(objective: Objective, evidence: Sequence[Grounds]) -> list[Checked]:
    """Return what the campaigns say to each thing that an objective asks for."""
    found = []
    for question, rate in objective.at_least.items():
        words = f"{QUESTIONS[question].words} at no less than {number(rate)}/s"
        told = [_point(objective, words, row, rate) for row in _points(objective, question, evidence)]
        found += told or [_silent(objective, words, "no such point was measured")]
    if objective.stream is not None:
        found += _latencies(objective, evidence)
    for drill in objective.nothing_lost_in:
        words = f"nothing lost in {drill}"
        told = list(_losses(objective, drill, words, evidence))
        found += told or [_silent(objective, words, "no such drill was done")]
    return found


def _silent(objective: Objective, words: str, because: str) -> Checked:
    who = f"{objective.subject}: " if objective.subject else ""
    return Checked(objective.name, f"{who}{words}", Standing.UNKNOWN, because)


def _points(objective: Objective, question: str, evidence: Sequence[Grounds]) -> Iterator[dict[str, Any]]:
    for each in evidence:
        if len(each.points):
            for row in each.points[each.points["question"] == question].to_dict("records"):
                subject = f"{row['strategy']}/{row['variant']}"
                if row["trials"] and objective.concerns(subject, *(row[name] for name in CONDITION)):
                    yield {str(name): value for name, value in row.items()} | {"campaign": each.name}


def _point(objective: Objective, words: str, row: dict[str, Any], rate: float) -> Checked:
    found = edges(row)
    if found.held is not None and found.held >= rate:
        standing = Standing.MET
    elif found.failed is not None and found.failed <= rate:
        standing = Standing.MISSED
    else:
        standing = Standing.UNKNOWN
    held = f"held at {number(found.held)}/s" if found.held else "held at no rate"
    failed = f"failed at {number(found.failed)}/s" if found.failed else "failed at no rate"
    doubt = ", may move when repeated" if row["shaky"] else ""
    because = f"{held}, {failed}{doubt} ({row['campaign']}, {row['trials']} trials)"
    return Checked(objective.name, f"{_who(row)}: {words}", standing, because)


def _who(row: dict[str, Any]) -> str:
    tasks = f"{row['kind']} {milliseconds(row['duration_ms'])}, {row['topology']}"
    return f"{row['strategy']}/{row['variant']}, {tasks}"


def _latencies(objective: Objective, evidence: Sequence[Grounds]) -> list[Checked]:
    """Return a verdict a subject and condition: met where all trials meet it, missed where none does."""
    stream, limit_ms, rate = objective.stream, objective.p99_within_ms, objective.at_rate
    if stream is None or limit_ms is None or rate is None:
        return []
    words = f"p99 of {stream.latency} within {milliseconds(limit_ms)} at {number(rate)}/s"
    found: dict[str, list[dict[str, Any]]] = {}
    for each in evidence:
        for row in each.summary.to_dict("records"):
            told = {str(name): value for name, value in row.items()}
            if _counts(objective, told, rate):
                found.setdefault(_who(told), []).append(told | {"campaign": each.name})
    answers = [
        _latency(objective, f"{who}: {words}", rows, stream.column, limit_ms) for who, rows in found.items()
    ]
    return answers or [_silent(objective, words, f"no valid trial at {number(rate)}/s")]


def _counts(objective: Objective, row: dict[str, Any], rate: float) -> bool:
    subject = f"{row['strategy']}/{row['variant']}"
    near = rate / SAME_RATE <= row["offered_per_s"] <= rate * SAME_RATE
    concerned = objective.concerns(subject, *(row[name] for name in CONDITION))
    return bool(row["valid"] and not row["closed"] and near and concerned)


def _latency(
    objective: Objective, about: str, rows: list[dict[str, Any]], column: str, limit_ms: float
) -> Checked:
    p99s = [float(row[f"{column}_p99_ms"]) for row in rows]
    bounds = [bool(row[f"{column}_p99_at_least"]) for row in rows]
    within = [value <= limit_ms and not bound for value, bound in zip(p99s, bounds, strict=True)]
    beyond = [value > limit_ms for value in p99s]
    standing = Standing.MET if all(within) else Standing.MISSED if all(beyond) else Standing.UNKNOWN
    told = ", ".join(milliseconds(value) for value in sorted(p99s))
    names = ", ".join(dict.fromkeys(str(row["trial_id"]) for row in rows))
    return Checked(objective.name, about, standing, f"{told} in {names}")


def _losses(objective: Objective, drill: str, words: str, evidence: Sequence[Grounds]) -> Iterator[Checked]:
    own: dict[str, list[Trial]] = {}
    for each in evidence:
        for trial in each.drills:
            if trial.plan.drill == drill and objective.subject in ("", trial.plan.subject):
                own.setdefault(trial.plan.subject, []).append(trial)
    for subject, trials in own.items():
        fates = [trial.incident.fates for trial in trials if trial.incident]
        lost = sum(each.get(Fate.LOST.label, 0) + each.get(Fate.UNACCOUNTED.label, 0) for each in fates)
        accepted = sum(trial.accounts.accepted for trial in trials)
        because = f"{lost} of {accepted} accepted tasks lost, {len(trials)} repeats"
        standing = Standing.MISSED if lost else Standing.MET if accepted else Standing.UNKNOWN
        yield Checked(objective.name, f"{subject}: {words}", standing, because)
