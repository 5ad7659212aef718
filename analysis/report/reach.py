"""How far each subject reaches: up to which rate the API is fast and the work keeps up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.format import number
from analysis.order import subjects
from analysis.trials.brackets import Bracket
from analysis.trials.endings import Ending
from analysis.trials.point_table import interval
from analysis.trials.points import CONDITION, by_question, edges, unseen
from analysis.trials.questions import QUESTIONS
from results.schema import Manifest

_PREFERRED_MS: Final = 100.0
_SHORTEST_MS: Final = 0.01
"""no-ops count as that short"""


@dataclass(frozen=True)
class Condition:
    """What a page tells first: tasks of one kind and duration under one topology."""

    kind: str
    duration_ms: float
    topology: str

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that were measured under it."""
        return rows[np.logical_and.reduce([rows[name] == value for name, value in self._values])]

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row was measured under it."""
        return all(row[name] == value for name, value in self._values)

    @property
    def _values(self) -> list[tuple[str, Any]]:
        return list(zip(CONDITION, (self.kind, self.duration_ms, self.topology), strict=True))


@dataclass(frozen=True)
class Reach:
    """One subject: where the first thing gives way, whichever it is."""

    strategy: str
    variant: str
    held_per_s: float | None
    """the highest rate at which the API was fast and the work kept up; None where there is none"""
    failed_per_s: float | None
    """the lowest rate at which one of them was not so; None where there is none"""
    first: str
    """the question of which that was; empty where nothing gave way"""
    found: dict[str, Bracket]
    """by question"""
    shaky: bool
    """whether an edge that it rests on is"""
    everywhere: bool = False
    """it blocks whatever the rate, since a task takes longer than the limit"""

    @property
    def name(self) -> str:
        """The subject as sentences name it."""
        return f"{self.strategy}/{self.variant}"

    @property
    def rate(self) -> str:
        """Its reach in words, for a sentence."""
        return f"{'~' if self.shaky else ''}{number(self.held_per_s or 0)}/s"

    @property
    def interval(self) -> str:
        """Its reach in words, from the rate that held to the one that failed."""
        return interval(Bracket(self.held_per_s, self.failed_per_s), shaky=self.shaky)

    def overlaps(self, other: "Reach") -> bool:
        """Whether it may reach as far as another that held at a higher rate."""
        return self.failed_per_s is None or self.failed_per_s > (other.held_per_s or 0)


def first_condition(points: pd.DataFrame, manifest: Manifest) -> Condition | None:
    """Return the condition that a page tells first: tasks that sleep, nearest to 100 ms."""
    if points.empty:
        return None
    known = set(points["topology"])
    topology = next((each for each in manifest.topology if each in known), min(known))
    kinds = set(points.loc[points["topology"] == topology, "kind"])
    return nearest(points, "sleep" if "sleep" in kinds else min(kinds), topology, _PREFERRED_MS)


def nearest(points: pd.DataFrame, kind: str, topology: str, duration_ms: float) -> Condition:
    """Return the condition of a kind and topology whose duration is nearest, by ratio."""
    own = points[(points["kind"] == kind) & (points["topology"] == topology)]
    durations = own["duration_ms"].to_numpy(float)
    apart = np.abs(np.log(durations.clip(_SHORTEST_MS) / max(duration_ms, _SHORTEST_MS)))
    return Condition(kind, float(durations[int(apart.argmin())]), topology)


def reaches(points: pd.DataFrame, condition: Condition) -> list[Reach]:
    """Return how far each subject reaches of which something is known, in the order of tables."""
    own = condition.of(points)
    made = [_reach(strategy, variant, by_question(rows)) for strategy, variant, rows in subjects(own)]
    return [reach for reach in made if reach is not None]


def _reach(strategy: str, variant: str, rows: dict[str, dict[str, Any]]) -> Reach | None:
    found = {name: edges(rows[name]) for name in QUESTIONS if not unseen(rows[name])}
    if all(each.held is None and each.failed is None for each in found.values()):
        return None
    failed = {name: each.failed for name, each in found.items() if each.failed is not None}
    first = min(failed, key=lambda name: failed[name], default="")
    held = [each.held for each in found.values()]
    lowest = None if None in held else min(each for each in held if each is not None)
    decisive = {first} | {name for name, each in found.items() if each.held == lowest}
    return Reach(
        strategy,
        variant,
        lowest,
        failed.get(first),
        first,
        found,
        shaky=any(bool(rows[name]["shaky"]) for name in decisive if name),
        everywhere=any(rows[name].get("ending") == Ending.EVERYWHERE for name in QUESTIONS),
    )
