"""Where to measure next: brackets and bisects the two points of a strategy in the logarithm of the rate.

Pure: the next rate follows from the trials so far and from nothing else, so that a search that was
interrupted goes on where it stood.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.trials.brackets import Bracket, Verdict, bracket

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
    saturation_per_s: float | None = None
    """predicted; infinite where theory knows of no limit, None where nothing is known"""
    blocking_per_s: float | None = None
    """predicted; 0 where it blocks at any rate, infinite where at none, None where nothing is known"""
    patience: int = 3
    """uncertain verdicts inside an interval after which the search is content with a wider one"""


@dataclass(frozen=True)
class Observation:
    """One valid trial, as the search sees it."""

    rate_per_s: float
    blocked: bool
    blocked_certain: bool
    behind: bool
    behind_certain: bool
    completions_per_s: float
    """slope of the completions: the service's own rate where work was always waiting"""


def next_rate(goal: Goal, seen: Sequence[Observation]) -> float | None:
    """Return the rate of the next trial; None where both points are found or cannot be found here.

    The question whose answer can be guessed goes first, since two trials may settle it, else the one with
    the wider bracket; each trial then answers both.
    """
    behind, blocked = verdicts(seen)
    saturation, blocking = _guesses(goal, seen)
    apart = any(s.behind and s.behind_certain and not s.blocked for s in seen)
    questions = sorted(
        [(behind, saturation, False), (blocked, blocking, apart)],
        key=lambda question: (not _telling(question[1]), -bracket(question[0]).width),
    )
    for answers, guess, leap in questions:
        rate = _refine(goal, answers, guess, leap)
        if rate is not None:
            return rate
    return None


def verdicts(seen: Sequence[Observation]) -> tuple[list[Verdict], list[Verdict]]:
    """Return the answers to both questions: whether the work falls behind, and whether the API blocks."""
    behind = [Verdict(s.rate_per_s, s.behind, s.behind_certain) for s in seen]
    blocked = [Verdict(s.rate_per_s, s.blocked, s.blocked_certain) for s in seen]
    return behind, blocked


def capacity(seen: Sequence[Observation]) -> float | None:
    """Return the rate at which work was done where it certainly fell behind, at the lowest such rate.

    A saturated server works as fast as it can: one trial above the saturation point shows where it lies.
    """
    behind = [s for s in seen if s.behind and s.behind_certain and s.completions_per_s > 0]
    return min(behind, key=lambda s: s.rate_per_s).completions_per_s if behind else None


def _guesses(goal: Goal, seen: Sequence[Observation]) -> tuple[float | None, float | None]:
    measured = capacity(seen)
    saturation = measured or goal.saturation_per_s
    blocking = goal.blocking_per_s
    if blocking and measured and goal.saturation_per_s and math.isfinite(goal.saturation_per_s):
        blocking *= measured / goal.saturation_per_s
    return saturation, blocking


def _refine(goal: Goal, answers: Sequence[Verdict], guess: float | None, leap: bool) -> float | None:
    """Return the rate that narrows one bracket most; None where it is narrow enough or at its end.

    A verdict that is not certain says that the point is near: the next rates lie about it, the farther off
    the more of them there are, until certain ones stand on both sides.
    """
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
    for rate in _candidates(goal, found, guess, tried, half, leap=leap, upwards=upwards):
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
