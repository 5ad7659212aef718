"""Where to measure next: a curve, then what narrows its points, then what makes them sure.

Pure: the next trial follows from those so far and from nothing else, so that a search that was interrupted
goes on where it stood.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.slowness_by_rate import Seen
from harness.search.confirm import Step, Terms, confirmation, confirming
from harness.search.curve import curve, untried
from harness.search.goal import Goal, Observation, capacity
from harness.search.narrow import next_rate, next_rates
from harness.search.recheck import LONGER, recheck

MISSED = 1
"""rates of a curve that may be missing: its ends move a little with what is known of the saturation"""


def next_step(goal: Goal, terms: Terms, seen: Sequence[Observation]) -> Step | None:
    """Return the next trial: a curve, short ones until all is located, then long ones until it is sure."""
    goal = replace(goal, lengthens=terms.longest_s > 0)
    terms = replace(terms, highest_per_s=goal.highest_per_s)
    spans = [Seen(each.rate_per_s, each.streams) for each in seen if each.streams]
    short = _next_of_curve(goal, seen) if goal.curves else []
    short = short or _next_short(_without_blocking(goal) if confirming(spans, terms) else goal, seen)
    rates = [float(f"{rate:.4g}") for rate in short]
    if rates:
        return _met(rates)
    doubtful = recheck(goal, seen) if goal.lengthens else []
    return _met(doubtful, LONGER) if doubtful else confirmation(spans, terms)


def _met(rates: Sequence[float], longer: float = 1.0) -> Step:
    """Return the trial that meets rates, rising."""
    return Step(rates[-1], stairs=tuple(rates) if len(rates) > 1 else (), longer=longer)


def _next_short(goal: Goal, seen: Sequence[Observation]) -> list[float]:
    """Return the rates of the next short trial, rising; none where nothing is left to locate."""
    if goal.curves:
        return next_rates(goal, seen)
    rate = next_rate(goal, seen)
    return [] if rate is None else [rate]


def _without_blocking(goal: Goal) -> Goal:
    expected = {question: rate for question, rate in goal.expected_per_s.items() if question != BLOCKING}
    return replace(goal, expected_per_s=expected)


def _next_of_curve(goal: Goal, seen: Sequence[Observation]) -> list[float]:
    """Return the common rates that a curve lacks, rising; empty where it is whole.

    Where nothing is known of the saturation, the highest rate goes first: what is completed there tells it.
    """
    tried = [each.rate_per_s for each in seen]
    expected = capacity(seen) or goal.expected_per_s.get(SATURATION)
    if expected is None and not tried:
        return [goal.highest_per_s]
    rates = curve(goal.lowest_per_s, goal.highest_per_s, expected or math.inf)
    blocking = goal.expected_per_s.get(BLOCKING, math.inf)
    if blocking == 0:
        rates = [goal.lowest_per_s, *rates]
    elif blocking is None or blocking > rates[-1]:
        rates = [*rates, goal.highest_per_s]
    lacking = untried(dict.fromkeys(rates), tried)
    return lacking if len(lacking) > MISSED else []
