"""Confirms at length what short trials have located: no spell of slowness is ruled out in a few seconds."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.trials.brackets import Bracket
from analysis.trials.slowness import SLOW_SHARE, Spells, judge, pool, seconds_needed
from analysis.trials.slowness_by_rate import Seen, certain_edges, likely_edges

NEAREST = 0.25
"""share of the limit that a stream has to spare at the least, for the time that it needs to be foretold"""
WARM_UP = 1.25
"""seconds of a schedule to one that is measured"""


@dataclass(frozen=True)
class Step:
    """The next trial of a search."""

    rate_per_s: float
    seconds: float | None = None
    """None where the rate and the task decide"""
    stairs: tuple[float, ...] = ()
    """rising rates, of which this is the last, each a step of one trial; empty for a single rate"""

    @property
    def confirms(self) -> bool:
        """Whether it is to make an edge sure that is located."""
        return self.seconds is not None


@dataclass(frozen=True)
class Terms:
    """What a confirmation may cost, and how far from the likely edges it may end."""

    shortest_s: float
    longest_s: float
    """of one trial; 0: nothing is confirmed"""
    precision: float

    @property
    def longest_schedule_s(self) -> float:
        """The longest schedule of such a trial, its warm-up included."""
        return self.longest_s * WARM_UP


def confirmation(seen: Sequence[Seen], terms: Terms) -> Step | None:
    """Return the trial that makes an edge of the blocking point sure; None where both are, or cannot be.

    The held edge goes first, since a reader builds on it. An edge that its time does not make sure is tried
    once more half a wanted width further out, and then a whole one.
    """
    if not seen or terms.longest_s <= 0:
        return None
    likely, sure = likely_edges(seen), certain_edges(seen)
    if likely.disputed:
        return _again(seen, terms)
    steps = (_held(seen, likely, sure, terms), _failed(seen, likely, sure, terms))
    return next((step for step in steps if step), None)


def _again(seen: Sequence[Seen], terms: Terms) -> Step | None:
    """Return a long trial at the lowest rate that was slow, though a higher one was not."""
    slow = [each.rate_per_s for each in seen if any(judge(found).blocked for found in each.streams.values())]
    rate = min(slow, default=0.0)
    left_s = terms.longest_s - _span_s(seen, rate)
    return Step(rate, terms.longest_s) if rate and left_s > 0 else None


def _held(seen: Sequence[Seen], likely: Bracket, sure: Bracket, terms: Terms) -> Step | None:
    if likely.held is None or _near(likely.held, sure.held, terms.precision):
        return None
    for rate in _outwards(likely.held, 1 / terms.precision):
        left_s = min(_needed_s(seen, rate), terms.longest_s) - _span_s(seen, rate)
        if left_s > 0:
            return Step(rate, max(left_s * WARM_UP, terms.shortest_s))
    return None


def _failed(seen: Sequence[Seen], likely: Bracket, sure: Bracket, terms: Terms) -> Step | None:
    if likely.failed is None or _near(sure.failed, likely.failed, terms.precision):
        return None
    for rate in _outwards(likely.failed, terms.precision):
        left_s = terms.longest_s / 2 - _span_s(seen, rate)
        if left_s > 0:
            return Step(rate, max(left_s * WARM_UP, terms.shortest_s))
    return None


def _near(higher: float | None, lower: float | None, precision: float) -> bool:
    """Say whether a sure edge is as near to the likely one as an interval may be wider than wanted."""
    return higher is not None and lower is not None and higher <= lower * precision**0.5 * (1 + 1e-9)


def _outwards(edge: float, factor: float) -> Iterator[float]:
    yield from (float(f"{edge * factor**share:.4g}") for share in (0, 0.5, 1))


def _span_s(seen: Sequence[Seen], rate_per_s: float) -> float:
    """Return for how long a rate was seen."""
    here = [each for each in seen if math.isclose(each.rate_per_s, rate_per_s, rel_tol=1e-3)]
    return sum(max((found.span_s for found in each.streams.values()), default=0.0) for each in here)


def _needed_s(seen: Sequence[Seen], rate_per_s: float) -> float:
    """Return how long a rate has to be seen before all streams can be surely fast there."""
    here = [each for each in seen if math.isclose(each.rate_per_s, rate_per_s, rel_tol=1e-3)]
    names = {name for each in here for name in each.streams}
    pooled = [pool(each.streams[name] for each in here if name in each.streams) for name in names]
    return max((_stream_needs_s(found) for found in pooled), default=math.inf)


def _stream_needs_s(found: Spells) -> float:
    told = judge(found)
    spare = max(1 - told.share / SLOW_SHARE, NEAREST)
    return seconds_needed(told.spell_s) / spare
