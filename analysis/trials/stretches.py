"""How far a subject carries: the stretches of rates in which its API is fast and its work keeps up."""

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.format import number
from analysis.trials.brackets import Bracket
from analysis.trials.point_table import SHAKY
from analysis.trials.points import edges
from analysis.trials.questions import BLOCKING, SATURATION

Rows = Mapping[str, Mapping[str, Any]]
"""the points of one subject and condition, by question"""


class State(enum.Enum):
    """What a rate does to a subject; the value says it in words."""

    KEEPS_UP = "API fast, work keeps up"
    BEHIND = "API fast, work falls behind"
    BLOCKED = "API blocked"


@dataclass(frozen=True)
class Stretch:
    """Rates a second between which the answer is the same, both inclusive."""

    state: State
    low: float
    high: float


@dataclass(frozen=True)
class Edge:
    """Where a good stretch ends."""

    per_s: float
    """the highest rate that held; 0 where none did"""
    at_per_s: float
    """where its words stand"""
    words: str
    open: bool
    """nothing failed above it"""
    question: str
    everywhere: bool = False
    """theory says that no rate holds"""

    @property
    def least_per_s(self) -> float:
        """A rate to rank it by: half of one that failed where none held, and none where none can."""
        return self.per_s or (0.0 if self.everywhere else self.at_per_s / 2)


def stretches(rows: Rows, tried_per_s: Sequence[float]) -> list[Stretch]:
    """Return what is known between the lowest and the highest rate tried; what is not known is left out.

    A stretch is one rate alone where nothing is known on either side of it.
    """
    if not tried_per_s:
        return []
    api, work = (edges(rows[name]) for name in (BLOCKING, SATURATION))
    found: list[Stretch] = []
    for begin, end in _pieces(api, work, min(tried_per_s), max(tried_per_s)):
        state = _state((begin + end) / 2, api, work)
        if state and found and (found[-1].state, found[-1].high) == (state, begin):
            found[-1] = Stretch(state, found[-1].low, end)
        elif state:
            found.append(Stretch(state, begin, end))
    return found


def _pieces(api: Bracket, work: Bracket, low: float, high: float) -> Iterator[tuple[float, float]]:
    """Yield each rate at which an answer may change, and what lies between it and the next one."""
    inner = {edge for each in (api, work) for edge in (each.held, each.failed) if edge and low < edge < high}
    cuts = sorted({low, high, *inner})
    for begin, end in zip(cuts, [*cuts[1:], cuts[-1]], strict=True):
        yield begin, begin
        if begin < end:
            yield begin, end


def _state(rate_per_s: float, api: Bracket, work: Bracket) -> State | None:
    """Return what a rate does; None where nothing says it."""
    if rate_per_s >= (api.failed or math.inf):
        return State.BLOCKED
    if rate_per_s > (api.held or 0.0):
        return None
    if rate_per_s >= (work.failed or math.inf):
        return State.BEHIND
    return State.KEEPS_UP if rate_per_s <= (work.held or 0.0) else None


def edges_of(rows: Rows) -> list[Edge]:
    """Return where the API stops being fast and where the work stops keeping up, the first one first.

    A question without an answer has none.
    """
    found = (_edge(name, rows[name]) for name in (BLOCKING, SATURATION))
    return sorted((edge for edge in found if edge), key=lambda edge: (edge.per_s, edge.open))


def _edge(name: str, row: Mapping[str, Any]) -> Edge | None:
    found, mark = edges(row), SHAKY if row["shaky"] else ""
    if found.held:
        above = "" if found.failed else "> "
        return Edge(found.held, found.held, f"{mark}{above}{number(found.held)}", not found.failed, name)
    if not found.failed:
        return None
    everywhere = row["predicted_per_s"] == 0
    words = "at any rate" if everywhere else f"{mark}< {number(found.failed)}"
    return Edge(0.0, found.failed, words, open=False, question=name, everywhere=everywhere)


def theory_per_s(row: Mapping[str, Any]) -> float:
    """Return the rate at which theory sees a point; NaN where it names none.

    Where no search asked it, the ceiling stands for it.
    """
    told = float(row["predicted_per_s"])
    if math.isnan(told) and row["question"] == SATURATION:
        told = float(row["ceiling_per_s"])
    return told if math.isfinite(told) and told > 0 else math.nan
