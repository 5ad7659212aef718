"""Asks again, for longer, where a verdict that only leans keeps an interval wider than it was asked for."""

from collections.abc import Iterable, Sequence

from analysis.trials.brackets import Verdict, bracket, covering, outvoted
from analysis.trials.endings import ROUNDED
from analysis.trials.questions import SATURATION
from analysis.trials.slowness_by_rate import Seen
from harness.search.confirm import Step, Terms, span_s
from harness.search.goal import Goal, Observation, verdicts

LONGER = 4.0
"""times as long as at first: a margin shrinks at least with the root of the time"""
TELLING = 2.0
"""times as long as a rate was seen that the longest trial has to be for yet another look"""


def recheck(goal: Goal, terms: Terms, seen: Sequence[Observation]) -> Step | None:
    """Return the trial that sees again the lowest rate that leans to failed, the highest that leans to held.

    What still leans then and keeps the interval wider than wanted is seen for as long as a trial may take.
    None where the interval is narrow, unless nothing was known beforehand and an edge of it only leans, or
    where all this was done. Only of saturation: how slow requests are at a rate is pooled over its repeats,
    so that no verdict on it stands alone.
    """
    if SATURATION not in goal.expected_per_s or terms.longest_s <= 0:
        return None
    answers = verdicts(seen, SATURATION)
    found = covering(bracket(answers), answers)
    narrow = found.width <= goal.precision * ROUNDED
    if narrow and not goal.blind:
        return None
    low, high = found.held or 0.0, found.failed or float("inf")
    within = [each for each in answers if low <= each.rate_per_s <= high]
    if once := _outermost(each for each in within if _leans(each, answers, looks=1)):
        return Step.meeting(once, LONGER)
    spans = [Seen(each.rate_per_s, each.streams) for each in seen]
    twice = [] if narrow else _outermost(each for each in within if _leans(each, answers, looks=2))
    worth = [rate for rate in twice if span_s(spans, rate) * TELLING <= terms.longest_s]
    return Step(worth[0], terms.longest_schedule_s) if worth else None


def _leans(answer: Verdict, answers: Sequence[Verdict], *, looks: int) -> bool:
    """Say whether a rate was seen that often and no verdict on it settles it."""
    same = [other for other in answers if other.rate_per_s == answer.rate_per_s]
    return len(same) == looks and not any(each.certain or outvoted(each, answers) for each in same)


def _outermost(doubtful: Iterable[Verdict]) -> list[float]:
    """Return the lowest rate that leans to failed and the highest that leans to held, rising."""
    known = list(doubtful)
    failing = sorted(each.rate_per_s for each in known if each.failed)
    holding = sorted(each.rate_per_s for each in known if not each.failed)
    return sorted({*failing[:1], *holding[-1:]})
