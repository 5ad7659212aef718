"""What the drills' numbers say, in plain words, a subject at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.drills.matrix import records, subjects_in_order
from analysis.format import number
from results.schema import Manifest


@dataclass(frozen=True)
class DrillReading:
    """One subject, read."""

    strategy: str
    variant: str
    summary: str
    sentences: list[str]


def read_drills(table: pd.DataFrame, manifest: Manifest) -> list[DrillReading]:
    """Return a reading for every subject with a drill; `table` is that of `tables.matrix`."""
    readings = []
    for subject in subjects_in_order(manifest):
        own = records(table[table["subject"] == subject.key])
        if own:
            readings.append(DrillReading(subject.strategy, subject.variant, subject.summary, _sentences(own)))
    return readings


def duration(seconds: float) -> str:
    """Return a time in seconds with the unit that suits it: 0.5 s, 90 s, 5 min, 1 h."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size or seconds == size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds)} s"


def windows(row: Mapping[str, Any]) -> str:
    """Return for how long a drill's broker hid tasks, and would by default; empty where it hides none."""
    if not row["window_s"] > 0:
        return ""
    here = f"hidden for at most {duration(row['window_s'])} here"
    return f"{here}; {duration(row['default_window_s'])} by default"


def _sentences(rows: list[dict[str, Any]]) -> list[str]:
    counted = [row for row in rows if row["repeats"] > 0]
    if not counted:
        return ["No drill of it passed the gate."]
    kept = [row["drill"] for row in counted if not row["lost"]]
    told = [_lost(row) for row in counted if row["lost"]]
    if kept:
        told.append(f"Lost nothing in {', '.join(kept)}.")
    told += [_hidden(row) for row in counted if row["hidden_at_rest"]]
    told += [
        f"Ran {_tasks(row['twice'])} twice in {row['drill']}"
        + (f", {number(row['completed_twice'])} of them to the end." if row["completed_twice"] else ".")
        for row in counted
        if row["twice"]
    ]
    told += [
        f"Ran {_tasks(row['ran_unaccepted'])} in {row['drill']} that its client did not see accepted."
        for row in counted
        if row["ran_unaccepted"]
    ]
    return told


def _lost(row: Mapping[str, Any]) -> str:
    text = f"Lost {number(row['lost'])} of {number(row['accepted'])} accepted tasks in {row['drill']}"
    met = row["in_flight"]
    if not met > 0:
        return f"{text}."
    share = f"{number(row['lost_in_flight'])} of the {number(met)} that were under way"
    return f"{text} ({share})."


def _hidden(row: Mapping[str, Any]) -> str:
    text = f"Hid {_tasks(row['hidden_at_rest'])} in {row['drill']}"
    if row["hidden_until_s"] > 0:
        text += f", started at the latest {duration(row['hidden_until_s'])} after the fault"
    if row["window_s"] > 0:
        text += f" ({windows(row)})"
    return f"{text}."


def _tasks(count: float) -> str:
    return f"{number(count)} task{'s' * (count != 1)}"
