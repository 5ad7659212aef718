"""How slow a subject was at the edges of its interval: the share of slow requests, and what bounds it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from analysis.format import percent
from analysis.trials.brackets import Bracket
from analysis.trials.slowness import Slowness, judge, pool
from analysis.trials.slowness_by_rate import Seen, seen_in

UNASKED: Final = dict.fromkeys(
    ("held_slow_share", "held_slow_high", "held_unseen_s", "failed_slow_share", "failed_slow_low"), math.nan
)
"""the columns, of a question that is not about slow requests"""


def at_edges(rows: Iterable[Mapping[Any, Any]], found: Bracket, limit_ms: float) -> dict[str, float]:
    """Return the share of slow requests of the slowest stream at both edges; NaN where there is none.

    `held_slow_share` is what was seen at the held edge and `held_slow_high` what it is at most, by the
    spans there and above it that say so most clearly; `held_unseen_s`: what comes less often than once in
    that time may have been missed by them. `failed_slow_share` and `failed_slow_low` are the same of the
    failed edge, by the spans there and below it.
    """
    seen = [seen_in(float(row["offered_per_s"]), row, limit_ms) for row in rows]
    told = dict(UNASKED)
    if found.held is not None and (held := _held(seen, found.held)):
        share, bound = held
        told |= {
            "held_slow_share": share,
            "held_slow_high": max(share, bound.high),
            "held_unseen_s": bound.unseen_s,
        }
    if found.failed is not None and (failed := _failed(seen, found.failed)):
        share, bound = failed
        told |= {"failed_slow_share": share, "failed_slow_low": min(share, bound.low)}
    return told


def shares_in_words(row: Mapping[str, Any], limit: str) -> str:
    """Return the shares of a row of points: `0.4 % slower than 100 ms, at most 1.3 %; then 2.1 %, ...`."""
    held, failed = (float(row[f"{edge}_slow_share"]) for edge in ("held", "failed"))
    slower = f" slower than {limit}"
    parts = []
    if not math.isnan(held):
        parts.append(f"{percent(held)}{slower}, at most {percent(float(row['held_slow_high']))}")
    if not math.isnan(failed):
        then = "then " if parts else ""
        words = "" if parts else slower
        parts.append(f"{then}{percent(failed)}{words}, at least {percent(float(row['failed_slow_low']))}")
    return "; ".join(parts)


def _held(seen: Sequence[Seen], rate_per_s: float) -> tuple[float, Slowness] | None:
    """Return the share at a rate and its lowest upper bound, of the stream in which that is highest."""
    tops = {each.rate_per_s for each in seen if each.rate_per_s >= rate_per_s}
    found = [
        (share, min((_judged(seen, name, rate_per_s, top) for top in tops), key=lambda told: told.high))
        for name, share in _shares(seen, rate_per_s)
    ]
    return max(found, key=lambda each: each[1].high, default=None)


def _failed(seen: Sequence[Seen], rate_per_s: float) -> tuple[float, Slowness] | None:
    """Return the share at a rate and its highest lower bound, of the stream in which that is highest."""
    bottoms = {each.rate_per_s for each in seen if each.rate_per_s <= rate_per_s}
    found = [
        (share, max((_judged(seen, name, low, rate_per_s) for low in bottoms), key=lambda told: told.low))
        for name, share in _shares(seen, rate_per_s)
    ]
    return max(found, key=lambda each: (each[1].low, each[0]), default=None)


def _shares(seen: Sequence[Seen], rate_per_s: float) -> Iterator[tuple[str, float]]:
    """Yield the streams that had requests at a rate, and which share of them was slow."""
    names = dict.fromkeys(name for each in seen if each.rate_per_s == rate_per_s for name in each.streams)
    for name in names:
        yield name, _judged(seen, name, rate_per_s, rate_per_s).share


def _judged(seen: Sequence[Seen], name: str, from_per_s: float, to_per_s: float) -> Slowness:
    """Return what all spans between two rates say of one stream."""
    within = [each.streams for each in seen if from_per_s <= each.rate_per_s <= to_per_s]
    return judge(pool(streams[name] for streams in within if name in streams))
