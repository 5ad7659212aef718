"""Between which rates something gave way: the one rule by which verdicts become an interval."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

OUTVOTE: Final = 2
"""certain verdicts that set aside one that only leans"""
FINER: Final = 2.0
"""times as fine as it that a single one has to be to do the same: both together would be certain, too"""


@dataclass(frozen=True)
class Verdict:
    """What one valid trial answered to one question."""

    rate_per_s: float
    failed: bool
    certain: bool = True
    """its margin of error lies on one side of the limit"""
    margin: float = 0.0
    """of error of what it was told by; 0 where that is not known"""


@dataclass(frozen=True)
class Bracket:
    """The interval in which something gave way; rates per second."""

    held: float | None
    """highest rate below every failure; None where it held at none"""
    failed: float | None
    """lowest rate above everything that held; None where it failed at none"""
    disputed: bool = False
    """repeats at one rate disagreed, or it held at a higher rate than it failed at: both edges moved out"""

    @property
    def width(self) -> float:
        """The failed rate over the held one; infinite where one of them is missing."""
        return self.failed / self.held if self.held and self.failed else float("inf")


def bracket(verdicts: Iterable[Verdict]) -> Bracket:
    """Return [highest that held, lowest that failed], widened where verdicts disagree.

    A verdict that is not certain only says that the point is near: it makes an edge only on a side that has
    no certain one. A rate counts as held or failed only where all its repeats say so. Where something held
    above a rate at which it failed, the answer lies anywhere between what held below all failures and what
    failed above all that held.
    """
    answers = list(verdicts)
    failing, holding = (_rates(answers, failed) for failed in (True, False))
    lowest_failing, highest_holding = min(failing, default=float("inf")), max(holding, default=0.0)
    held = [rate for rate in holding if rate < lowest_failing]
    failed = [rate for rate in failing if rate > highest_holding]
    return Bracket(
        max(held, default=None), min(failed, default=None), disputed=lowest_failing <= highest_holding
    )


def covering(found: Bracket, answers: Iterable[Verdict]) -> Bracket:
    """Return the interval with its edges moved out as far as these verdicts contradict it, each at its word.

    So one that only leans to `failed` moves the held edge below itself where it lies at or below it; unless
    certain verdicts outvote it, see `outvoted`.
    """
    known = list(answers)
    every = bracket(replace(answer, certain=True) for answer in known if not outvoted(answer, known))
    within = (found.held or 0.0) <= (every.held or 0.0) and _top(found) >= _top(every)
    if not every.disputed or within:
        return found
    held = min(found.held or 0.0, every.held or 0.0) or None
    failed = None if found.failed is None or every.failed is None else max(found.failed, every.failed)
    return Bracket(held, failed, disputed=True)


def outvoted(leaning: Verdict, answers: Iterable[Verdict]) -> bool:
    """Say whether so many certain verdicts contradict one that only leans that it does not count.

    What holds at a rate holds below it, too, and what fails there fails above it. A leaning verdict is the
    likelier of two answers, a certain one is wrong in a twentieth: two of these are enough, and one with
    much less of a margin.
    """
    if leaning.certain:
        return False
    sign = 1 if leaning.failed else -1
    beyond = [
        answer
        for answer in answers
        if answer.certain
        and answer.failed != leaning.failed
        and sign * (answer.rate_per_s - leaning.rate_per_s) >= 0
    ]
    finer = any(0 < answer.margin * FINER <= leaning.margin for answer in beyond)
    return finer or len(beyond) >= OUTVOTE


def _top(found: Bracket) -> float:
    return found.failed or float("inf")


def _rates(answers: list[Verdict], failed: bool) -> set[float]:
    """Return the rates with that answer: the certain ones, or all where none is certain."""
    found = [answer for answer in answers if answer.failed == failed]
    return {answer.rate_per_s for answer in found if answer.certain} or {a.rate_per_s for a in found}
