"""The points of a campaign as a table prints them: where each subject gave way, and how sure that is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.trials.brackets import Bracket
from analysis.trials.points import CONDITION, by_question, edges
from analysis.trials.questions import QUESTIONS
from results.terms import Stream

SHAKY: Final = "~"
"""stands before an interval that a repeat may move"""
NOT_PREDICTED: Final = "not predicted"
"""no law is known, or theory was not asked: which is not to say that it never gives way"""


@dataclass(frozen=True)
class Found:
    """What was found of one point: the answer to one question."""

    interval: str
    """`held to failed`, `> held`, `< failed`, or why there is neither; `SHAKY` before what is"""
    by: str
    """the streams that gave way, in words; empty where none did or none is named"""
    notes: str
    """what makes it shaky, and what stopped the search before it was narrow; may be empty"""
    predicted: str
    """see `predicted`; empty where no search was made"""
    shaky: bool
    gave_way: bool
    """there is a rate at which it failed"""


@dataclass(frozen=True)
class Answer:
    """One subject under one condition."""

    strategy: str
    variant: str
    tasks: str
    """their kind and duration"""
    topology: str
    found: dict[str, Found]
    """by question"""
    ceiling: str
    """empty where theory has none"""
    trials: int
    invalid: int
    load_s: float

    @property
    def condition(self) -> str:
        """Its tasks and the topology."""
        return f"{self.tasks}, {self.topology}"


def answers(points: pd.DataFrame) -> list[Answer]:
    """Return rows of `analysis.trials.points.find_points` in words, one for all questions of a condition."""
    found = []
    if len(points):
        for strategy, variant, mine in subjects(points):
            for _, own in mine.groupby(CONDITION, sort=True):
                found.append(_answer(strategy, variant, by_question(own)))
    return found


def table(found: Iterable[Answer]) -> pd.DataFrame:
    """Return answers as a table of text, for a notebook."""
    return pd.DataFrame(
        {
            "subject": f"{a.strategy}/{a.variant}",
            "tasks": a.condition,
            **{heading: text for name, each in a.found.items() for heading, text in _columns(name, each)},
            "ceiling in theory": a.ceiling,
            "notes": "; ".join(dict.fromkeys(each.notes for each in a.found.values() if each.notes)),
            "trials": a.trials,
            "seconds of load": round(a.load_s),
        }
        for a in found
    )


def _columns(name: str, found: Found) -> Iterator[tuple[str, str]]:
    question = QUESTIONS[name]
    yield f"{question.label} at", found.interval
    if question.named_by:
        yield question.named_by.lower(), found.by
    yield f"{question.label} in theory", found.predicted


def _answer(strategy: str, variant: str, rows: dict[str, dict[str, Any]]) -> Answer:
    common = next(iter(rows.values()))
    ceiling = common["ceiling_per_s"]
    return Answer(
        strategy,
        variant,
        f"{common['kind']} {milliseconds(common['duration_ms'])}",
        common["topology"],
        {name: _found(rows[name]) for name in QUESTIONS},
        f"{number(ceiling)}/s" if np.isfinite(ceiling) else "",
        int(common["trials"]),
        int(common["invalid"]),
        float(common["load_s"]),
    )


def _found(row: dict[str, Any]) -> Found:
    words = {stream.latency: stream.words for stream in Stream}
    return Found(
        interval=interval(edges(row), shaky=row["shaky"]) if row["trials"] else "not measured",
        by=", ".join(words.get(name, name) for name in row["by"].split(", ")),
        notes=_notes(row),
        predicted=predicted(row["predicted_per_s"]) if row["searched"] else "",
        shaky=bool(row["shaky"]),
        gave_way=bool(np.isfinite(row["failed_per_s"])),
    )


def predicted(rate_per_s: float | None) -> str:
    """Return what theory says of a point: of none, that it never gives way; else that it says nothing."""
    if rate_per_s is None or np.isnan(rate_per_s):
        return NOT_PREDICTED
    return "none" if np.isinf(rate_per_s) else f"{number(rate_per_s)}/s" if rate_per_s else "any rate"


def interval(found: Bracket, *, shaky: bool = False) -> str:
    """Return where a point lies."""
    mark = SHAKY if shaky or found.disputed else ""
    if found.held and found.failed:
        return f"{mark}{number(found.held)} to {number(found.failed)}/s"
    if found.held:
        return f"{mark}> {number(found.held)}/s"
    if found.failed:
        return f"{mark}< {number(found.failed)}/s"
    return "not found"


def _notes(row: dict[str, Any]) -> str:
    if row["missing"]:
        return str(row["missing"])
    unsure = "" if row["certain"] else QUESTIONS[row["question"]].doubt
    doubt = "verdicts disagree" if row["disputed"] else unsure
    stopped = f"stopped by {row['stopped_by']}" if row["stopped_by"] else ""
    return "; ".join(note for note in (doubt, stopped) if note)
