"""Where to measure next: brackets and bisects the points of a strategy in the logarithm of the rate.

Pure: the next rate follows from the trials so far and from nothing else, so that a search that was
interrupted goes on where it stood.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.slowness import Spells, judge, pool
from analysis.trials.slowness_by_rate import Seen
from harness.search.confirm import Step, Terms, confirmation
from harness.search.curve import SAME_RATE, curve, untried

STRIDE = 4.0
"""factor between two rates while nothing is known"""
MISSED = 1
"""rates of a curve that may be missing: its ends move a little with what is known of the saturation"""
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
    curves: bool = False
    """begin with a curve over common rates, and look at several rates in one trial"""


@dataclass(frozen=True)
class Observation:
    """One step of a valid trial, as the search sees it."""

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
    """Return the next trial: a curve, short ones until all is located, then long ones until it is sure."""
    rates = (_next_of_curve(goal, seen) or next_rates(goal, seen)) if goal.curves else _only(goal, seen)
    if rates:
        rates = [float(f"{rate:.4g}") for rate in rates]
        return Step(rates[-1], stairs=tuple(rates) if len(rates) > 1 else ())
    return confirmation([Seen(each.rate_per_s, each.streams) for each in seen if each.streams], terms)


def _only(goal: Goal, seen: Sequence[Observation]) -> list[float]:
    rate = next_rate(goal, seen)
    return [] if rate is None else [rate]


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


def next_rates(goal: Goal, seen: Sequence[Observation]) -> list[float]:
    """Return the rates that narrow all brackets most, rising; none where all is found or cannot be."""
    rates: list[float] = []
    for rate in (rate for search in _searches(goal, seen) for rate in _refine(goal, search)):
        rates += untried([rate], rates)
    return sorted(rates)


def next_rate(goal: Goal, seen: Sequence[Observation]) -> float | None:
    """Return the rate of the next trial; None where all points are found or cannot be found here.

    The question whose answer can be guessed goes first, since two trials may settle it, else the one with
    the wider bracket; each trial then answers all.
    """
    searches = sorted(
        _searches(goal, seen),
        key=lambda search: (not _telling(search.guess), -bracket(search.answers).width),
    )
    return next((rate for search in searches for rate in _refine(goal, search)), None)


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


def _refine(goal: Goal, search: _Search) -> list[float]:
    """Return the rates that narrow one bracket most, best first; none where it is narrow or at its end.

    A verdict that is not certain says that the point is near: the next rates lie about it, the farther off
    the more of them there are, until certain ones stand on both sides.
    """
    answers, guess = search.answers, search.guess
    found = bracket(answer for answer in answers if answer.certain)
    near = [answer.rate_per_s for answer in answers if not answer.certain and _inside(answer, found)]
    patient = len(near) < goal.patience or found.width > goal.precision**goal.patience
    if found.width <= goal.precision or not patient:
        return []
    half = goal.precision ** (AIM / 2 * (1 + len(near) // 2))
    if near:
        guess = math.exp(sum(map(math.log, near)) / len(near))
    tried = sorted({answer.rate_per_s for answer in answers})
    upwards = _upwards(bracket(answers), found, guess)
    about = _about(found, guess, half, upwards=upwards)
    others = _candidates(goal, found, guess, tried, leap=search.leap)
    near, far = (
        untried([min(max(rate, goal.lowest_per_s), goal.highest_per_s) for rate in rates], tried)
        for rates in (about, others)
    )
    return near or far[:1]


def _about(found: Bracket, guess: float | None, half: float, *, upwards: bool) -> list[float]:
    """Return half a wanted width below and above a guess, as far as it lies within a bracket."""
    if not guess or not _telling(guess):
        return []
    held, failed = found.held or 0.0, found.failed or math.inf
    below = [guess / half] * (held * half * SAME_RATE < guess < failed * half)
    above = [guess * half] * (guess * half * SAME_RATE < failed and held < guess * half)
    return above + below if upwards else below + above


def _candidates(
    goal: Goal, found: Bracket, guess: float | None, tried: Sequence[float], *, leap: bool
) -> Iterator[float]:
    held, failed = found.held or 0.0, found.failed or math.inf
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
