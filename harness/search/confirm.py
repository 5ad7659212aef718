"""Confirms at length what short trials have located: no spell of slowness is ruled out in a few seconds."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.trials.brackets import Bracket
from analysis.trials.slowness import SLOW_SHARE, Spells, judge, pool, seconds_needed
from analysis.trials.slowness_by_rate import Seen, certain_edges, first_crossing, likely_edges, settle
from analysis.trials.slowness_curve import Crossing

NEAREST = 0.25
"""share of the limit that a stream has to spare at the least, for the time that it needs to be foretold"""
APART = 0.9
"""wanted widths between the crossing and a rate that is seen at length: rounding must not miss it"""
REACH = 0.3
"""share of that distance by which a rate that was seen may be off"""
BELOW = 2.0
"""time below the crossing to that above it"""
LONG_TRIALS = 6
"""of the longest, in time: what an answer may take"""
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
    longer: float = 1.0
    """times as long as a trial or a step of it usually is"""

    @property
    def confirms(self) -> bool:
        """Whether it is to make an edge sure that is located."""
        return self.seconds is not None or self.longer > 1


@dataclass(frozen=True)
class Terms:
    """What a confirmation may cost, and how far from the likely edges it may end."""

    shortest_s: float
    longest_s: float
    """of one trial; 0: nothing is confirmed"""
    precision: float
    highest_per_s: float = math.inf
    """no rate above this is tried"""

    @property
    def longest_schedule_s(self) -> float:
        """The longest schedule of such a trial, its warm-up included."""
        return self.longest_s * WARM_UP


def confirmation(seen: Sequence[Seen], terms: Terms) -> Step | None:
    """Return the trial that makes an edge of the blocking point sure; None where both are, or cannot be.

    Where slow spells were seen, rates on both sides of their curve's crossing are seen by turns, nearly a
    wanted width off, so that sure edges end up no further apart than that squared. Otherwise the held edge
    goes first, since a reader builds on it.
    """
    if not seen or terms.longest_s <= 0 or settle(seen, terms.precision)[1]:
        return None
    likely, sure, found = likely_edges(seen), certain_edges(seen), first_crossing(seen)
    if _within(seen, found) and (confirming(seen, terms) or (likely.held and likely.failed)):
        return _about(seen, sure, found, terms)
    if likely.disputed:
        return _again(seen, terms)
    steps = (_held(seen, likely, sure, terms), _failed(seen, likely, sure, terms))
    return next((step for step in steps if step), None)


def confirming(seen: Sequence[Seen], terms: Terms) -> bool:
    """Say whether the crossing is looked for at length, so that shorter trials would add nothing.

    They would still where likely edges that nothing disputes lie far apart.
    """
    spans_s = (found.span_s for each in seen for found in each.streams.values())
    if terms.longest_s <= 0 or max(spans_s, default=0.0) * BELOW * WARM_UP < terms.longest_s:
        return False
    likely = likely_edges(seen)
    located = likely.disputed or likely.width <= terms.precision**2
    return located and _within(seen, first_crossing(seen))


def _within(seen: Sequence[Seen], found: Crossing) -> bool:
    """Say whether a crossing lies between rates that were seen."""
    rates = [each.rate_per_s for each in seen]
    return min(rates) < found.likely < max(rates)


def _about(seen: Sequence[Seen], sure: Bracket, found: Crossing, terms: Terms) -> Step | None:
    """Return a long trial below the crossing or above it; None once the time for that is spent.

    Below, slow spells are the rarer ones, and take twice the time to count.
    """
    spent_s = sum(_span_s(seen, rate) for rate in {each.rate_per_s for each in seen})
    if spent_s >= terms.longest_s * LONG_TRIALS:
        return None
    if found.high <= found.low * terms.precision**2:
        return _lacking(sure, found, terms)
    below, above = (_beside(seen, found.likely, terms.precision**share) for share in (-APART, APART))
    above = min(above, terms.highest_per_s)
    below_s, above_s = (_span_near_s(seen, rate, terms.precision) for rate in (below, above))
    if below_s <= BELOW * above_s:
        return Step(below, terms.longest_schedule_s)
    return Step(above, terms.longest_schedule_s / BELOW)


def _lacking(sure: Bracket, found: Crossing, terms: Terms) -> Step:
    """Return a trial at the edge that lacks for an interval of the wanted width squared.

    The crossing is known as well as that. A failed edge is soon met; a held one has to be seen at length.
    """
    widest = terms.precision**2
    spare = (widest * found.low / found.high) ** 0.25
    if sure.failed is None or sure.failed > found.low * widest:
        above = min(float(f"{found.high * spare:.4g}"), terms.highest_per_s)
        return Step(above, terms.longest_schedule_s / BELOW**2)
    return Step(float(f"{found.low / spare:.4g}"), terms.longest_schedule_s)


def _beside(seen: Sequence[Seen], crossing_per_s: float, factor: float) -> float:
    """Return the rate that lies so far from the crossing, or one near to it that was seen."""
    wanted = crossing_per_s * factor
    reach = abs(math.log(factor)) * REACH
    rates = [each.rate_per_s for each in seen]
    near = [rate for rate in rates if abs(math.log(rate / wanted)) <= reach]
    return min(near, key=lambda rate: abs(math.log(rate / wanted)), default=float(f"{wanted:.4g}"))


def _span_near_s(seen: Sequence[Seen], rate_per_s: float, precision: float) -> float:
    """Return for how long rates were seen that are nearer than half a wanted width."""
    reach = precision**0.5
    rates = {r for each in seen if 1 / reach <= (r := each.rate_per_s) / rate_per_s <= reach}
    return sum(_span_s(seen, rate) for rate in rates)


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
        if left_s > 0 and rate <= terms.highest_per_s:
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
