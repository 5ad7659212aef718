"""The points of a campaign as a table prints them: where each subject gave way, and how sure that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.trials.brackets import Bracket
from analysis.trials.points import BLOCKING, CONDITION, SATURATION, by_question, edges

SHAKY: Final = "~"
"""stands before an interval that a repeat may move"""
NOT_PREDICTED: Final = "not predicted"
"""no law is known, or theory was not asked: which is not to say that it never gives way"""


@dataclass(frozen=True)
class Found:
    """What was found of one point."""

    interval: str
    """`held to failed`, `> held`, `< failed`, or why there is neither; `SHAKY` before what is"""
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
    blocks: Found
    by: str
    """the streams that crossed the limit; empty where none did"""
    behind: Found
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
    """Return rows of `analysis.trials.points.find_points` in words, one for both questions of a condition."""
    found = []
    if len(points):
        for strategy, variant, mine in subjects(points):
            for _, own in mine.groupby(CONDITION, sort=True):
                rows = by_question(own)
                found.append(_answer(strategy, variant, rows[BLOCKING], rows[SATURATION]))
    return found


def table(found: Iterable[Answer]) -> pd.DataFrame:
    """Return answers as a table of text, for a notebook."""
    return pd.DataFrame(
        {
            "subject": f"{a.strategy}/{a.variant}",
            "tasks": a.condition,
            "API blocks at": a.blocks.interval,
            "what blocks": a.by,
            "predicted": a.blocks.predicted,
            "work falls behind at": a.behind.interval,
            "ceiling in theory": a.ceiling,
            "notes": "; ".join(dict.fromkeys(note for note in (a.blocks.notes, a.behind.notes) if note)),
            "trials": a.trials,
            "seconds of load": round(a.load_s),
        }
        for a in found
    )


def _answer(strategy: str, variant: str, blocking: dict[str, Any], saturation: dict[str, Any]) -> Answer:
    ceiling = saturation["ceiling_per_s"]
    return Answer(
        strategy,
        variant,
        f"{saturation['kind']} {milliseconds(saturation['duration_ms'])}",
        saturation["topology"],
        _found(blocking),
        ", ".join("accepting a task" if name == "accept" else name for name in blocking["by"].split(", ")),
        _found(saturation),
        f"{number(ceiling)}/s" if np.isfinite(ceiling) else "",
        int(saturation["trials"]),
        int(saturation["invalid"]),
        float(saturation["load_s"]),
    )


def _found(row: dict[str, Any]) -> Found:
    expected = predicted(row["predicted_per_s"]) if row["searched"] else ""
    lies = interval(edges(row), shaky=row["shaky"]) if row["trials"] else "not measured"
    return Found(lies, _notes(row), expected, bool(row["shaky"]), bool(np.isfinite(row["failed_per_s"])))


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
    doubt = "verdicts disagree" if row["disputed"] else "" if row["certain"] else "within the margin of error"
    stopped = f"stopped by {row['stopped_by']}" if row["stopped_by"] else ""
    return "; ".join(note for note in (doubt, stopped) if note)
