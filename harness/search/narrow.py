"""Which rates narrow the brackets of a search most, in the logarithm of the rate."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.trials.brackets import Bracket, Verdict, bracket, covering
from analysis.trials.questions import SATURATION
from harness.search.curve import SAME_RATE, untried
from harness.search.goal import Goal, Observation, capacity, verdicts

STRIDE = 4.0
"""factor between two rates while nothing is known"""
AIM = 0.96
"""share of the wanted width, in the logarithm, that is aimed at: rounding must not miss it"""


@dataclass(frozen=True)
class _Search:
    """The search for the answer to one question."""

    answers: Sequence[Verdict]
    guess: float | None
    leap: bool
    """a rate far above is worth a trial: nothing hints at a point near by"""


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

    A verdict that is not certain may say that the point is near: the next rates lie about it, the farther
    off the more of them there are, until certain ones stand on both sides. Where longer trials follow, that
    ends with `patience` of them: each is taken at its word, a gap that is left is halved, and the rest is
    left to those.
    """
    answers, guess = search.answers, search.guess
    tried = sorted({answer.rate_per_s for answer in answers})
    found = covering(bracket(answer for answer in answers if answer.certain), answers)
    hinting = (answer for answer in answers if not answer.certain and _inside(answer, found))
    near = [answer.rate_per_s for answer in hinting if _hints(goal, answer, search)]
    patient = len(near) < goal.patience or found.width > goal.precision**goal.patience
    if found.width <= goal.precision or not patient:
        return []
    half = goal.precision ** (AIM / 2 * (1 + len(near) // 2))
    middle = math.exp(sum(map(math.log, near)) / len(near)) if near else guess
    at_word = bracket(replace(answer, certain=True) for answer in answers)
    about = _untried(
        goal, _about(found, middle, half, upwards=_upwards(bracket(answers), found, middle)), tried
    )
    if at_word.held and at_word.failed:
        told = len(near) >= goal.patience or bool(near and not about)
        vain = (goal.lengthens and told) or (goal.blind and not _telling(guess))
        if vain and not at_word.disputed:
            wide = at_word.width > goal.precision
            return _untried(goal, _halves(at_word, tried), tried)[:1] if wide else []
        if vain and near:
            return []
    others = _candidates(goal, found, middle, tried, leap=search.leap)
    return about or _untried(goal, others, tried)[:1]


def _untried(goal: Goal, rates: Iterable[float], tried: Sequence[float]) -> list[float]:
    """Return those that were not tried, moved into the range that is searched."""
    return untried([min(max(rate, goal.lowest_per_s), goal.highest_per_s) for rate in rates], tried)


def _hints(goal: Goal, answer: Verdict, search: _Search) -> bool:
    """Say whether a verdict that is not certain tells that the point is near.

    It may be no more than a trial of few tasks: so it hints at nothing where it says of a far rate what the
    guess says, nor, in a search that knows nothing beforehand, before something gave way.
    """
    if not _telling(search.guess):
        return not goal.blind or any(each.failed for each in search.answers)
    guess = search.guess or math.nan
    far = abs(math.log(answer.rate_per_s / guess)) > math.log(goal.precision)
    return not far or answer.failed != (answer.rate_per_s > guess)


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
        yield from _halves(found, tried)
    elif held:
        yield goal.highest_per_s if leap or guess == math.inf else max(tried) * stride
    elif math.isfinite(failed):
        if not goal.blind or min(tried) >= failed:  # a lower one would tell no more than those that leaned
            yield goal.lowest_per_s if guess == 0 else min(tried) / stride
    elif not tried:
        yield guess if guess is not None else math.sqrt(goal.lowest_per_s * goal.highest_per_s)
    elif goal.blind:
        yield max(tried) * STRIDE


def _halves(found: Bracket, tried: Sequence[float]) -> Iterator[float]:
    """Yield the middles between the rates tried within a bracket with both edges, the widest gap first."""
    held, failed = found.held or 0.0, found.failed or math.inf
    edges = [held, *(rate for rate in tried if held < rate < failed), failed]
    gaps = sorted(itertools.pairwise(edges), key=lambda gap: gap[1] / gap[0], reverse=True)
    yield from (math.sqrt(low * high) for low, high in gaps)


def _upwards(lean: Bracket, found: Bracket, guess: float | None) -> bool:
    """Say whether the edge above is missing, by the uncertain verdicts too, or farther off than the other."""
    if (lean.held is None) != (lean.failed is None):
        return lean.failed is None
    return bool(guess and found.held and found.failed and found.held * found.failed > guess**2)


def _telling(guess: float | None) -> bool:
    return guess is not None and 0 < guess < math.inf


def _inside(answer: Verdict, found: Bracket) -> bool:
    return (found.held or 0.0) <= answer.rate_per_s <= (found.failed or math.inf)
