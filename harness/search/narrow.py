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

    @property
    def tried(self) -> list[float]:
        """The rates that were tried, rising."""
        return sorted({answer.rate_per_s for answer in self.answers})

    @property
    def found(self) -> Bracket:
        """What certain verdicts tell."""
        return covering(bracket(answer for answer in self.answers if answer.certain), self.answers)

    @property
    def contradicted(self) -> tuple[float, float]:
        """The lowest rate that certainly failed and the highest that certainly held: they may disagree."""
        certain = [answer for answer in self.answers if answer.certain]
        failing = min((answer.rate_per_s for answer in certain if answer.failed), default=math.inf)
        return failing, max((answer.rate_per_s for answer in certain if not answer.failed), default=0.0)

    @property
    def word(self) -> Bracket:
        """What all tell, each taken at its word."""
        return bracket(replace(answer, certain=True) for answer in self.answers)


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
    off the more of them there are, until certain ones stand on both sides, or `patience` is at its end.
    """
    tried, found, word = search.tried, search.found, search.word
    near = [answer.rate_per_s for answer in _hints(goal, search)]
    impatient = len(near) >= goal.patience
    if found.width <= (goal.precision**goal.patience if impatient else goal.precision):
        return []
    middle = math.exp(sum(map(math.log, near)) / len(near)) if near else search.guess
    half = goal.precision ** (AIM / 2 * (1 + len(near) // 2))
    upwards = _upwards(bracket(search.answers), found, middle)
    about = _untried(goal, _about(found, middle, half, upwards=upwards), tried)
    told = goal.lengthens and (impatient or bool(near and not about))
    if math.isfinite(word.width) and (told or (goal.blind and not _telling(search.guess))):
        if not word.disputed:
            halves = _halves(goal, search, word) if word.width > goal.precision else []
            return _untried(goal, halves, tried)[:1]
        if near:
            return []
    return about or _untried(goal, _candidates(goal, search, middle), tried)[:1]


def _untried(goal: Goal, rates: Iterable[float], tried: Sequence[float]) -> list[float]:
    """Return those that were not tried, moved into the range that is searched."""
    return untried([min(max(rate, goal.lowest_per_s), goal.highest_per_s) for rate in rates], tried)


def _hints(goal: Goal, search: _Search) -> list[Verdict]:
    """Return the verdicts that are not certain and tell that the point is near.

    One may be no more than a trial of few tasks: so it hints at nothing where it says of a far rate what the
    guess says, nor, in a search that knows nothing beforehand, before something gave way.
    """
    held, failed = search.found.held or 0.0, search.found.failed or math.inf
    leaning = [each for each in search.answers if not each.certain and held <= each.rate_per_s <= failed]
    if not _telling(search.guess):
        return leaning if not goal.blind or any(each.failed for each in search.answers) else []
    guess = search.guess or math.nan
    return [
        each
        for each in leaning
        if abs(math.log(each.rate_per_s / guess)) <= math.log(goal.precision)
        or each.failed != (each.rate_per_s > guess)
    ]


def _about(found: Bracket, guess: float | None, half: float, *, upwards: bool) -> list[float]:
    """Return half a wanted width below and above a guess, as far as it lies within a bracket."""
    if not guess or not _telling(guess):
        return []
    held, failed = found.held or 0.0, found.failed or math.inf
    below = [guess / half] * (held * half * SAME_RATE < guess < failed * half)
    above = [guess * half] * (guess * half * SAME_RATE < failed and held < guess * half)
    return above + below if upwards else below + above


def _candidates(goal: Goal, search: _Search, guess: float | None) -> Iterator[float]:
    """Yield rates that narrow what certain verdicts tell, or that look for an edge it lacks."""
    tried, found = search.tried, search.found
    held, failed = found.held or 0.0, found.failed or math.inf
    stride = STRIDE if guess is None else goal.precision ** len(tried)
    if held and math.isfinite(failed):
        yield from _halves(goal, search, found)
    elif held:
        yield goal.highest_per_s if search.leap or guess == math.inf else max(tried) * stride
    elif math.isfinite(failed):
        if not goal.blind or min(tried) >= failed:  # a lower one would tell no more than those that leaned
            yield goal.lowest_per_s if guess == 0 else min(tried) / stride
    elif not tried:
        yield guess if guess is not None else math.sqrt(goal.lowest_per_s * goal.highest_per_s)
    elif goal.blind:
        yield max(tried) * STRIDE


def _halves(goal: Goal, search: _Search, found: Bracket) -> Iterator[float]:
    """Yield the middles between the rates tried within a bracket with both edges, the widest gap first.

    Between certain verdicts that contradict each other no further one settles anything, and beside them
    half a wanted width is narrow enough.
    """
    held, failed = found.held or 0.0, found.failed or math.inf
    edges = [held, *(rate for rate in search.tried if held < rate < failed), failed]
    gaps = sorted(itertools.pairwise(edges), key=lambda gap: gap[1] / gap[0], reverse=True)
    failing, holding = search.contradicted
    for low, high in gaps:
        vain = (failing <= low and high <= holding) or high <= low * goal.precision**0.5
        if failing > holding or not vain:
            yield math.sqrt(low * high)


def _upwards(lean: Bracket, found: Bracket, guess: float | None) -> bool:
    """Say whether the edge above is missing, by the uncertain verdicts too, or farther off than the other."""
    if (lean.held is None) != (lean.failed is None):
        return lean.failed is None
    return bool(guess and found.held and found.failed and found.held * found.failed > guess**2)


def _telling(guess: float | None) -> bool:
    return guess is not None and 0 < guess < math.inf
