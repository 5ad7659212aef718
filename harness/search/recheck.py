"""Asks again, for longer, where a verdict that only leans keeps an interval wider than it was asked for."""

from collections.abc import Sequence

from analysis.trials.brackets import Verdict, bracket, covering, outvoted
from analysis.trials.endings import ROUNDED
from analysis.trials.questions import SATURATION
from harness.search.goal import Goal, Observation, verdicts

LONGER = 4.0
"""times as long as at first: a margin shrinks at least with the root of the time"""


def recheck(goal: Goal, seen: Sequence[Observation]) -> list[float]:
    """Return the rates to see again, rising: the lowest that leans to failed, the highest that leans to held.

    Empty where the interval is narrow, unless nothing was known beforehand and an edge of it only leans, or
    where each of these was seen again already. Only of saturation: how slow requests are at a rate is pooled
    over its repeats, so that no verdict on it stands alone.
    """
    if SATURATION not in goal.expected_per_s:
        return []
    answers = verdicts(seen, SATURATION)
    found = covering(bracket(answers), answers)
    if found.width <= goal.precision * ROUNDED and not goal.blind:
        return []
    low, high = found.held or 0.0, found.failed or float("inf")
    doubtful = [each for each in answers if low <= each.rate_per_s <= high and _once(each, answers)]
    failing = [each.rate_per_s for each in doubtful if each.failed]
    holding = [each.rate_per_s for each in doubtful if not each.failed]
    return sorted({*sorted(failing)[:1], *sorted(holding)[-1:]})


def _once(answer: Verdict, answers: Sequence[Verdict]) -> bool:
    """Say whether a rate was seen once and its verdict only leans."""
    alone = sum(other.rate_per_s == answer.rate_per_s for other in answers) == 1
    return alone and not answer.certain and not outvoted(answer, answers)
