"""How a search left an interval: narrow enough, open, or not finished; and why it is wider than asked."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.trials.brackets import Bracket
from results.schema import Point

AT_END: Final = 0.98
"""share of the end of a search's rates that counts as the end itself"""
ROUNDED: Final = 1.002
"""factor by which rates of four digits may widen an interval"""
GENERATOR: Final = ("slip", "rate", "shed", "cpu", "sockets")
"""reasons of the gate that lie in the generator"""


class Ending(StrEnum):
    """How the interval of a point ended, as `points.csv` has it; empty where nothing was measured."""

    CLOSED = "closed"
    WIDER = "wider than asked"
    """by less than the square of the wanted width"""
    UNFINISHED = "unfinished"
    """wider than that square: the search stopped on its way"""
    EVERYWHERE = "at every rate"
    """it failed at the lowest rate, and theory says why it will below: a task takes longer than the limit"""
    HIGHEST = "the highest rate tried"
    """it held there"""
    LOWEST = "the lowest rate tried"
    """it failed there"""
    ABOVE = "not found above"
    """it held at the printed rate, and the search ended before it had tried the highest one"""
    BELOW = "not found below"
    UNKNOWN = ""

    @property
    def open(self) -> bool:
        """Whether the search ended before it had an edge to look for."""
        return self in {Ending.ABOVE, Ending.BELOW, Ending.UNFINISHED}

    @property
    def answered(self) -> bool:
        """Whether the question is answered within the rates that were asked for, however sure that is."""
        return not self.open and self is not Ending.UNKNOWN


def ending(found: Bracket, searched: Point | None, predicted_per_s: float, precision: float) -> Ending:
    """Return how an interval ended; of a point that was not searched, by what was measured."""
    if searched is None:
        return _measured(found)
    if found.held is None or found.failed is None:
        return _open(found, searched, predicted_per_s)
    if found.width <= precision * ROUNDED:
        return Ending.CLOSED
    return Ending.WIDER if found.width <= precision**2 * ROUNDED else Ending.UNFINISHED


def _measured(found: Bracket) -> Ending:
    if found.held is not None and found.failed is not None:
        return Ending.CLOSED
    if found.disputed or not (found.held or found.failed):
        return Ending.UNKNOWN
    return Ending.LOWEST if found.held is None else Ending.HIGHEST


def _open(found: Bracket, searched: Point, predicted_per_s: float) -> Ending:
    if found.held is not None:
        at_end = found.held >= AT_END * searched.highest_per_s
        return Ending.HIGHEST if at_end and not found.disputed else Ending.ABOVE
    if found.failed is None:
        return Ending.UNKNOWN
    if found.failed > searched.lowest_per_s / AT_END or found.disputed:
        return Ending.BELOW
    return Ending.EVERYWHERE if predicted_per_s == 0 else Ending.LOWEST


def wider_because(ended: Ending, found: Bracket, own: pd.DataFrame, failure: str, *, sure: bool) -> str:
    """Return why an interval is wider than asked; empty where it is not, or is open at an end of the rates.

    `own` are all trials of the point, `failure` is why the last one could not be measured, `sure` says that
    both edges are where long trials made them so.
    """
    if not (ended.open or ended is Ending.WIDER):
        return ""
    inside = own[~own["valid"].astype(bool) & own["offered_per_s"].between(*_reach(found))]
    if len(inside):
        return _refused(inside)
    if found.disputed:
        return "verdicts disagree"
    if sure and ended is Ending.WIDER:
        return "the edges that are sure lie further out"
    return f"a trial could not be measured: {failure}" if failure else "time or trials ran out"


def _reach(found: Bracket) -> tuple[float, float]:
    return found.held or 0.0, found.failed or np.inf


def _refused(inside: pd.DataFrame) -> str:
    """Return what kept the trials inside an interval from counting."""
    kinds = {part.split(":")[0].strip() for text in inside["reasons"] for part in text.split("; ")}
    if kinds & {"noise", "steal"}:
        return "the machine was too noisy there"
    if kinds & set(GENERATOR):
        return "the generator could not do more"
    return f"trials there did not count ({', '.join(sorted(kinds))})"


def in_words(row: Mapping[str, Any], rate: str, limit: str) -> str:
    """Return what to add to a point's interval; `rate` is its one edge in words, `limit` that of latency."""
    because = str(row["wider_because"])
    match Ending(row["ending"]):
        case Ending.EVERYWHERE:
            return f"since a task takes longer than {limit}"
        case Ending.HIGHEST | Ending.LOWEST as tried:
            return str(tried)
        case Ending.ABOVE | Ending.BELOW as side:
            return f"{side} {rate}: the search ended ({because})"
        case Ending.UNFINISHED | Ending.WIDER:
            return f"wider than asked: {because}"
        case _:
            return ""
