"""Where to measure next: brackets and bisects the points of a strategy in the logarithm of the rate.

Pure: the next rate follows from the trials so far and from nothing else, so that a search that was
interrupted goes on where it stood.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.slowness import Spells, judge, pool
from analysis.trials.slowness_by_rate import Seen
from harness.search.confirm import Step, Terms, confirmation, confirming

STRIDE = 4.0
"""factor between two rates while nothing is known"""
SAME_RATE = 1.004
"""rates closer than this are one"""
AIM = 0.96
"""share of the wanted width, in the logarithm, that is aimed at: rounding must not miss it"""


@dataclass(frozen=True)
class Goal:
    """What a search is to find, and what theory expects of it."""

    precision: float
    """the wanted width of an interval: its failed rate over its held one"""
    lowest_per_s: float
    highest_per_s: float
    expected_per_s: Mapping[str, float | None]
    """what theory predicts, by question: 0 where it gives way at any rate, infinite where at none, None where
    nothing is known; what is not in here is not searched"""
    patience: int = 3
    """uncertain verdicts inside an interval after which the search is content with a wider one"""


@dataclass(frozen=True)
class Observation:
    """One valid trial, as the search sees it."""

    rate_per_s: float
    verdicts: Mapping[str, Verdict]
    """by question"""
    completions_per_s: float
    """slope of the completions: the service's own rate where work was always waiting"""
    streams: Mapping[str, Spells] = field(default_factory=dict)
    """the slow spells of each stream of requests"""

    def failed(self, question: str) -> bool:
        """Say whether it gave way."""
        return self.verdicts[question].failed

    @property
    def overloaded(self) -> bool:
        """Whether the work certainly fell behind: no doubt that more came than could be done."""
        return self.failed(SATURATION) and self.verdicts[SATURATION].certain


@dataclass(frozen=True)
class _Search:
    """The search for the answer to one question."""

    answers: Sequence[Verdict]
    guess: float | None
    leap: bool
    """a rate far above is worth a trial: nothing hints at a point near by"""


def next_step(goal: Goal, terms: Terms, seen: Sequence[Observation]) -> Step | None:
    """Return the next trial: short ones until all points are located, then long ones until they are sure."""
    spans = [Seen(each.rate_per_s, each.streams) for each in seen if each.streams]
    rate = next_rate(_without_blocking(goal) if confirming(spans, terms) else goal, seen)
    if rate is not None:
        return Step(float(f"{rate:.4g}"))
    return confirmation(spans, terms)


def _without_blocking(goal: Goal) -> Goal:
    expected = {question: rate for question, rate in goal.expected_per_s.items() if question != BLOCKING}
    return replace(goal, expected_per_s=expected)


def next_rate(goal: Goal, seen: Sequence[Observation]) -> float | None:
    """Return the rate of the next trial; None where all points are found or cannot be found here.

    The question whose answer can be guessed goes first, since two trials may settle it, else the one with
    the wider bracket; each trial then answers all.
    """
    searches = sorted(
        _searches(goal, seen),
        key=lambda search: (not _telling(search.guess), -bracket(search.answers).width),
    )
    rates = (_refine(goal, search) for search in searches)
    return next((rate for rate in rates if rate is not None), None)


def verdicts(seen: Sequence[Observation], question: str) -> list[Verdict]:
    """Return all answers to one question.

    Of slowness, short trials are only to locate where it begins: each counts as sure, and of repeats at one
    rate what they say together.
    """
    answers = [observation.verdicts[question] for observation in seen]
    if question != BLOCKING:
        return answers
    by_rate: dict[float, list[Observation]] = {}
    for each in seen:
        by_rate.setdefault(each.rate_per_s, []).append(each)
    return [Verdict(rate, _slow(same, question)) for rate, same in by_rate.items()]


def _slow(same: Sequence[Observation], question: str) -> bool:
    names = {name for each in same for name in each.streams}
    pooled = [judge(pool(each.streams[name] for each in same if name in each.streams)) for name in names]
    return any(found.blocked for found in pooled) if names else any(each.failed(question) for each in same)


def capacity(seen: Sequence[Observation]) -> float | None:
    """Return the rate at which work was done where it certainly fell behind, at the lowest such rate.

    A saturated server works as fast as it can: one trial above the saturation point shows where it lies.
    """
    behind = [s for s in seen if s.overloaded and s.completions_per_s > 0]
    return min(behind, key=lambda s: s.rate_per_s).completions_per_s if behind else None


def _searches(goal: Goal, seen: Sequence[Observation]) -> Iterator[_Search]:
    """Yield the search for saturation first: a single overloaded trial tells most of it."""
    for question in sorted(goal.expected_per_s, key=lambda question: question != SATURATION):
        answers = verdicts(seen, question)
        if question == SATURATION:
            yield _Search(answers, capacity(seen) or goal.expected_per_s[question], leap=False)
        else:
            apart = any(s.overloaded and not s.failed(question) for s in seen)
            yield _Search(answers, _scaled(goal, seen, question), leap=apart)


def _scaled(goal: Goal, seen: Sequence[Observation], question: str) -> float | None:
    """Return a prediction, moved as far as the measured capacity is from the predicted one."""
    expected, saturation = goal.expected_per_s[question], goal.expected_per_s.get(SATURATION)
    measured = capacity(seen)
    if expected and measured and saturation and math.isfinite(saturation):
        return expected * (measured / saturation)
    return expected


def _refine(goal: Goal, search: _Search) -> float | None:
    """Return the rate that narrows one bracket most; None where it is narrow enough or at its end.

    A verdict that is not certain says that the point is near: the next rates lie about it, the farther off
    the more of them there are, until certain ones stand on both sides.
    """
    answers, guess = search.answers, search.guess
    found = bracket(answer for answer in answers if answer.certain)
    near = [answer.rate_per_s for answer in answers if not answer.certain and _inside(answer, found)]
    patient = len(near) < goal.patience or found.width > goal.precision**goal.patience
    if found.width <= goal.precision or not patient:
        return None
    half = goal.precision ** (AIM / 2 * (1 + len(near) // 2))
    if near:
        guess = math.exp(sum(map(math.log, near)) / len(near))
    tried = sorted({answer.rate_per_s for answer in answers})
    upwards = _upwards(bracket(answers), found, guess)
    for rate in _candidates(goal, found, guess, tried, half, leap=search.leap, upwards=upwards):
        within = min(max(rate, goal.lowest_per_s), goal.highest_per_s)
        if not any(_same(within, other) for other in tried):
            return within
    return None


def _candidates(
    goal: Goal,
    found: Bracket,
    guess: float | None,
    tried: Sequence[float],
    half: float,
    *,
    leap: bool,
    upwards: bool,
) -> Iterator[float]:
    held, failed = found.held or 0.0, found.failed or math.inf
    if guess and _telling(guess):
        below = [guess / half] * (held * half * SAME_RATE < guess < failed * half)
        above = [guess * half] * (guess * half * SAME_RATE < failed and held < guess * half)
        yield from (above + below) if upwards else (below + above)
    stride = STRIDE if guess is None else goal.precision ** len(tried)
    if held and math.isfinite(failed):
        edges = [held, *(rate for rate in tried if held < rate < failed), failed]
        gaps = sorted(itertools.pairwise(edges), key=lambda gap: gap[1] / gap[0], reverse=True)
        yield from (math.sqrt(low * high) for low, high in gaps)
    elif held:
        yield goal.highest_per_s if leap or guess == math.inf else max(tried) * stride
    elif math.isfinite(failed):
        yield goal.lowest_per_s if guess == 0 else min(tried) / stride
    elif not tried:
        yield guess if guess is not None else math.sqrt(goal.lowest_per_s * goal.highest_per_s)


def _upwards(lean: Bracket, found: Bracket, guess: float | None) -> bool:
    """Say whether the edge above is missing, by the uncertain verdicts too, or farther off than the other."""
    if (lean.held is None) != (lean.failed is None):
        return lean.failed is None
    return bool(guess and found.held and found.failed and found.held * found.failed > guess**2)


def _telling(guess: float | None) -> bool:
    return guess is not None and 0 < guess < math.inf


def _inside(answer: Verdict, found: Bracket) -> bool:
    return (found.held or 0.0) <= answer.rate_per_s <= (found.failed or math.inf)


def _same(a: float, b: float) -> bool:
    return max(a, b) / min(a, b) < SAME_RATE
