"""What spans at many rates say together: slowness grows with the rate, so evidence travels."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from analysis.trials.brackets import Bracket
from analysis.trials.slowness import SLOW_SHARE, Spells, judge, of_row, pool
from analysis.trials.slowness_curve import UNKNOWN, Crossing, crossing
from results.terms import Stream

TRUSTED: Final = 2.0
"""times 1 % that a rate's own time may leave possible where a curve through others says that it holds"""


@dataclass(frozen=True)
class Seen:
    """What the streams of one subject showed at one rate."""

    rate_per_s: float
    streams: Mapping[str, Spells]


def seen_in(rate_per_s: float, row: Mapping[Any, Any], limit_ms: float) -> Seen:
    """Return what a row of the summary says."""
    streams = {s.column: of_row(row, s, limit_ms) for s in Stream if row.get(f"{s.column}_n")}
    return Seen(rate_per_s, streams)


def settle_blocking(
    rows: Sequence[Mapping[Any, Any]], limit_ms: float, precision: float
) -> tuple[Bracket, bool]:
    """Return the interval of the blocking point by rows of the summary, and whether both edges are sure."""
    return settle([seen_in(float(row["offered_per_s"]), row, limit_ms) for row in rows], precision)


def settle(seen: Sequence[Seen], precision: float) -> tuple[Bracket, bool]:
    """Return the interval of the blocking point, and whether both edges are sure.

    The sure edges where they are no further apart than the wanted width squared, or the same as the likely
    ones; else the likely ones.
    """
    sure, likely = certain_edges(seen), likely_edges(seen)
    closed = sure.width <= precision**2 or sure == likely
    return (sure, True) if closed and not sure.disputed else (likely, False)


def certain_edges(seen: Sequence[Seen]) -> Bracket:
    """Return the highest rate that surely holds and the lowest that surely fails, by all that was seen.

    A span was at least as slow as one at a lower rate would have been. So where the spans from a rate up to
    some higher one, taken together, say `at most 1 %`, that holds at that rate, too; and `more than 1 %`
    of those from a lower rate up to it. Where slow spells were seen, a curve through all rates near by tells
    more (see `slowness_curve`), but not without the rate's own time: a curve that is met far above its
    crossing is steeper there than at it. Where answers contradict each other, slowness did not grow with
    the rate: disputed, and both edges move out.
    """
    rates = sorted({each.rate_per_s for each in seen})
    crossings, together = _crossings(seen), _Together(seen)
    held = [rate for rate in rates if _held(together, crossings, rate)]
    failed = [rate for rate in rates if _failed(together, crossings, rate)]
    highest, lowest = max(held, default=0.0), min(failed, default=float("inf"))
    below = [rate for rate in held if rate < lowest]
    above = [rate for rate in failed if rate > highest]
    return Bracket(max(below, default=None), min(above, default=None), disputed=lowest <= highest)


def first_crossing(seen: Sequence[Seen]) -> Crossing:
    """Return where the first stream begins to be slow; `UNKNOWN` where none was."""
    found = [each for each in _crossings(seen).values() if each != UNKNOWN]
    return Crossing(*(min(bounds) for bounds in zip(*map(astuple, found), strict=True))) if found else UNKNOWN


def _crossings(seen: Sequence[Seen]) -> dict[str, Crossing]:
    by_rate = {rate: _pooled(seen, rate, rate) for rate in {each.rate_per_s for each in seen}}
    names = {name for streams in by_rate.values() for name in streams}
    return {
        name: crossing({rate: streams[name] for rate, streams in by_rate.items() if name in streams})
        for name in names
    }


def likely_edges(seen: Sequence[Seen]) -> Bracket:
    """Return the highest rate below which nothing was blocked, and the lowest above which all was."""
    blocked = {
        rate: any(judge(each).blocked for each in _pooled(seen, rate, rate).values())
        for rate in {each.rate_per_s for each in seen}
    }
    lowest = min((rate for rate, slow in blocked.items() if slow), default=float("inf"))
    highest = max((rate for rate, slow in blocked.items() if not slow), default=0.0)
    held = max((rate for rate, slow in blocked.items() if not slow and rate < lowest), default=None)
    failed = min((rate for rate, slow in blocked.items() if slow and rate > highest), default=None)
    return Bracket(held, failed, disputed=lowest <= highest)


@dataclass(frozen=True)
class _Together:
    """What spans at neighbouring rates showed together, each stretch of rates put together once."""

    seen: Sequence[Seen]
    _known: dict[tuple[float, float], dict[str, Spells]] = field(default_factory=dict)

    def between(self, from_per_s: float, to_per_s: float) -> dict[str, Spells]:
        """Return by stream what the spans from one rate to another showed."""
        stretch = (from_per_s, to_per_s)
        if stretch not in self._known:
            self._known[stretch] = _pooled(self.seen, *stretch)
        return self._known[stretch]


def _held(together: _Together, crossings: Mapping[str, Crossing], rate_per_s: float) -> bool:
    """Say whether every stream is surely fast at a rate."""
    tops = sorted({each.rate_per_s for each in together.seen if each.rate_per_s >= rate_per_s})

    def fast(name: str, share: float) -> bool:
        found = (together.between(rate_per_s, top) for top in tops)
        return any(name in pooled and judge(pooled[name]).high <= share for pooled in found)

    return bool(crossings) and all(
        fast(name, SLOW_SHARE * (TRUSTED if rate_per_s <= told.low else 1))
        for name, told in crossings.items()
    )


def _failed(together: _Together, crossings: Mapping[str, Crossing], rate_per_s: float) -> bool:
    """Say whether some stream is surely slow at a rate."""
    bottoms = {each.rate_per_s for each in together.seen if each.rate_per_s <= rate_per_s}
    found = (together.between(bottom, rate_per_s) for bottom in sorted(bottoms, reverse=True))
    return any(rate_per_s >= told.high for told in crossings.values()) or any(
        judge(evidence).low > SLOW_SHARE for pooled in found for evidence in pooled.values()
    )


def _pooled(seen: Sequence[Seen], from_per_s: float, to_per_s: float) -> dict[str, Spells]:
    within = [each for each in seen if from_per_s <= each.rate_per_s <= to_per_s]
    names = dict.fromkeys(name for each in within for name in each.streams)
    return {name: pool(each.streams[name] for each in within if name in each.streams) for name in names}
