"""The points of a campaign as a table prints them: where each subject gave way, and how sure that is."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.trials.brackets import Bracket
from analysis.trials.edge_slowness import shares_in_words
from analysis.trials.endings import Ending, in_words
from analysis.trials.full_cores import BOUND
from analysis.trials.points import CONDITION, by_question, edges
from analysis.trials.questions import QUESTIONS
from results.terms import Stream

SHAKY: Final = "~"
"""stands before an interval that a repeat may move"""
MOVES: Final = "*"
"""stands behind an interval that moves with the machine"""
NOT_PREDICTED: Final = "not predicted"
"""no law is known, or theory was not asked: which is not to say that it never gives way"""


@dataclass(frozen=True)
class Found:
    """What was found of one point: the answer to one question."""

    interval: str
    """`held to failed`, `> held`, `< failed`, `at every rate`, or why there is none; `SHAKY` before what is,
    `MOVES` behind it"""
    by: str
    """the streams that gave way, in words; empty where none did or none is named"""
    notes: str
    """what makes it shaky, what is meant by an open end, and why it is wider than asked; may be empty"""
    slow: str
    """which share of the requests was slow at its edges, in words; empty where that was not asked"""
    core_bound: str
    """whose core was near full at an edge; empty where none was"""
    predicted: str
    """see `predicted`; empty where no search was made"""
    shaky: bool
    unfinished: bool
    """the search ended on its way"""
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


def moves(found: Iterable[Answer]) -> str:
    """Return one line that explains `MOVES`; empty where no answer bears it."""
    return moved_by({each.core_bound for answer in found for each in answer.found.values()})


def moved_by(named: Collection[str]) -> str:
    """Return what `MOVES` means where the cores of these roles were full; empty where none was."""
    cores = " or ".join(f"the {role}'s" for role in BOUND if role in named)
    return f"{MOVES} moves with the machine: {cores} core was full at an edge" if cores else ""


def _found(row: dict[str, Any]) -> Found:
    words = {stream.latency: stream.words for stream in Stream}
    ending = Ending(row["ending"])
    where = interval(edges(row), shaky=row["shaky"], ending=ending) if row["trials"] else "not measured"
    return Found(
        interval=where + (MOVES if row["core_bound"] else ""),
        by=", ".join(words.get(name, name) for name in row["by"].split(", ")),
        notes=_notes(row),
        slow=shares_in_words(row, milliseconds(row["limit_ms"])),
        core_bound=str(row["core_bound"]),
        predicted=predicted(row["predicted_per_s"]) if row["searched"] else "",
        shaky=bool(row["shaky"]),
        unfinished=ending.open,
        gave_way=bool(np.isfinite(row["failed_per_s"])),
    )


def predicted(rate_per_s: float | None) -> str:
    """Return what theory says of a point: of none, that it never gives way; else that it says nothing."""
    if rate_per_s is None or np.isnan(rate_per_s):
        return NOT_PREDICTED
    return "none" if np.isinf(rate_per_s) else f"{number(rate_per_s)}/s" if rate_per_s else "any rate"


def interval(found: Bracket, *, shaky: bool = False, ending: Ending = Ending.CLOSED) -> str:
    """Return where a point lies."""
    mark = SHAKY if shaky or found.disputed else ""
    if ending is Ending.EVERYWHERE:
        return f"{mark}{ending}"
    if found.held and found.failed:
        unfinished = f", {ending}" if ending is Ending.UNFINISHED else ""
        return f"{mark}{number(found.held)} to {number(found.failed)}/s{unfinished}"
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
    told = in_words(row, _edge(edges(row)), milliseconds(row["limit_ms"]))
    return "; ".join(note for note in (doubt if doubt not in told else "", told) if note)


def _edge(found: Bracket) -> str:
    """Return the one edge of an interval that is open at the other end."""
    return f"{number(found.held or found.failed or 0)}/s"
