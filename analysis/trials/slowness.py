"""Which share of a stream's requests is slow, and how surely: they come in spells, and those count."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analysis.trials.gamma import gamma_quantile
from results.terms import Stream

Floats = npt.NDArray[np.float64]

SLOW_SHARE: Final = 0.01
"""a stream is blocked where more of its requests than this take longer than the limit: its p99 is above it"""
CONFIDENCE: Final = 0.95
"""of each bound by itself"""
GAP_LIMITS: Final = 5.0
"""limits without a slow request after which another spell begins: so far apart, they come as if by chance"""
ASSUMED_LIMITS: Final = 1.5
"""limits that a spell is taken to last at the least, where too few were seen to know better"""
NEARLY: Final = 0.5
"""share of the limit that counts as nearly slow: such spells are met earlier, and last about as long"""
VARIATION: Final = 3.0
"""mean square over squared mean of the spells' sizes, at the least: a few look more alike than they are"""
LONGER: Final = 2.0
"""means that a spell which was not seen may last"""
_KEPT: Final = 4096
"""judgements that are kept: one evidence is asked for edges, curves and words"""


@dataclass(frozen=True)
class Spells:
    """What was seen of one stream, in one span or several; a spell's size is its number of slow requests."""

    requests: int
    span_s: float
    spells: tuple[int, ...]
    """of requests slower than the limit"""
    own: tuple[int, ...]
    """of requests slower than it without the generator's lateness: what is surely the target's"""
    nearly: tuple[int, ...]
    """of requests slower than half of it"""
    assumed: float
    """requests in a spell of `ASSUMED_LIMITS`"""

    @property
    def slow(self) -> int:
        """How many requests were slow."""
        return sum(self.spells)


@dataclass(frozen=True)
class Slowness:
    """What evidence says of the share of slow requests in the long run."""

    share: float
    """NaN where there was no request"""
    low: float
    """the share is at least this, surely: one-sided, 95 %"""
    high: float
    """the share is at most this, as surely"""
    spells: int
    spell_s: float
    """how long a spell lasts: the mean of those seen; `assumed` where there was none"""
    assumed: bool
    unseen_s: float
    """spells that come less often than once in this time may have been missed altogether"""

    @property
    def blocked(self) -> bool:
        """The likelier answer."""
        return self.share > SLOW_SHARE

    @property
    def certain(self) -> bool:
        """Whether the other answer is ruled out."""
        return self.low > SLOW_SHARE if self.blocked else self.high <= SLOW_SHARE


def observe(
    due_s: Floats, latency_ms: Floats, span_s: float, limit_ms: float, slip_ms: Floats | float = 0.0
) -> Spells:
    """Return what a stream showed whose requests were due, in order, within a span of seconds.

    Of a request without an answer the time for which it is known to have waited stands for its latency: where
    that is below the limit, the share can only be too low.
    """
    gap_s = GAP_LIMITS * limit_ms / 1000
    return Spells(
        requests=len(due_s),
        span_s=span_s,
        spells=_sizes(due_s[latency_ms > limit_ms], gap_s),
        own=_sizes(due_s[latency_ms - slip_ms > limit_ms], gap_s),
        nearly=_sizes(due_s[latency_ms > NEARLY * limit_ms], gap_s),
        assumed=_assumed(len(due_s), span_s, limit_ms),
    )


def columns(stream: Stream, spells: Spells) -> dict[str, str]:
    """Return the spells as columns of a row of the summary: their sizes, one after the other."""
    return {
        f"{stream.column}_spells": " ".join(map(str, spells.spells)),
        f"{stream.column}_own": " ".join(map(str, spells.own)),
        f"{stream.column}_nearly": " ".join(map(str, spells.nearly)),
    }


def of_row(row: Mapping[str, Any], stream: Stream, limit_ms: float) -> Spells:
    """Return what a row of the summary says of the spells of one stream."""
    spells, own, nearly = (
        tuple(map(int, str(row[f"{stream.column}_{name}"]).split())) for name in ("spells", "own", "nearly")
    )
    requests, span_s = int(row[f"{stream.column}_n"]), float(row["seconds"])
    return Spells(requests, span_s, spells, own, nearly, _assumed(requests, span_s, limit_ms))


def _assumed(requests: int, span_s: float, limit_ms: float) -> float:
    return ASSUMED_LIMITS * limit_ms / 1000 * requests / span_s if span_s > 0 else 0.0


def pool(evidence: Iterable[Spells]) -> Spells:
    """Return the evidence of several spans as one."""
    parts = list(evidence)
    requests = sum(each.requests for each in parts)
    weights = ((each.assumed, each.requests) for each in parts)
    return Spells(
        requests=requests,
        span_s=sum(each.span_s for each in parts),
        spells=tuple(size for each in parts for size in each.spells),
        own=tuple(size for each in parts for size in each.own),
        nearly=tuple(size for each in parts for size in each.nearly),
        assumed=sum(size * count for size, count in weights) / requests if requests else 0.0,
    )


@lru_cache(maxsize=_KEPT)
def judge(evidence: Spells) -> Slowness:
    """Return the share of slow requests with its bounds.

    Spells come like a Poisson process and differ in size, so that the slow requests are a weighted sum of
    Poisson counts. Its bounds are those of the gamma distribution with the same mean and variance (Fay and
    Feuer, *Confidence intervals for directly standardized rates: a method based on the gamma distribution*,
    Statistics in Medicine 16, 1997); the upper one allows for one more spell, as large as any may be. Without
    a spell in T seconds it is 3 L / T: of spells of L seconds, 1 % is ruled out after 300 L.
    """
    requests, sizes = evidence.requests, np.array(evidence.spells, float)
    if not requests:
        return Slowness(math.nan, 0.0, 1.0, 0, math.nan, assumed=True, unseen_s=math.inf)
    unseen = _unseen(evidence)
    spell = float(sizes.mean()) if len(sizes) else unseen
    return Slowness(
        share=evidence.slow / requests,
        low=_low(np.array(evidence.own, float)) / requests,
        high=min(_high(sizes, unseen) / requests, 1.0),
        spells=len(sizes),
        spell_s=spell * evidence.span_s / requests,
        assumed=not len(sizes),
        unseen_s=evidence.span_s / -math.log(1 - CONFIDENCE),
    )


def dispersion(below: Spells, own: Spells) -> float:
    """Return the variance of a count of slow requests to its mean: about the size of the spells they come in.

    By the spells of a rate, and by those at it and `below`, whichever say more; but no spell is longer than
    what was seen of the rate.
    """
    return min(max(map(_dispersion, (below, own))), max(own.requests, 1))


def _dispersion(evidence: Spells) -> float:
    sizes, nearly = np.array(evidence.spells, float), np.array(evidence.nearly, float)
    met = [float((each**2).sum() / each.sum()) for each in (sizes, nearly) if len(each)]
    return max(1.0, evidence.assumed, VARIATION * float(sizes.mean()) if len(sizes) else 0.0, *met)


def seconds_needed(spell_s: float) -> float:
    """Return how long a span without a spell must be to rule out that 1 % is slow, in spells that long."""
    return -math.log(1 - CONFIDENCE) * spell_s / SLOW_SHARE


def _sizes(slow_s: Floats, gap_s: float) -> tuple[int, ...]:
    if not len(slow_s):
        return ()
    begins = np.flatnonzero(np.diff(slow_s, prepend=-np.inf) > gap_s)
    return tuple(np.diff(begins, append=len(slow_s)).tolist())


def _unseen(evidence: Spells) -> float:
    """Return the size of a spell that may come next: no smaller than any, or than those nearly slow."""
    nearly, sizes = np.array(evidence.nearly, float), np.array(evidence.spells, float)
    met = float((nearly**2).sum() / nearly.sum()) if len(nearly) else 0.0
    largest = max(float(sizes.max()), LONGER * float(sizes.mean())) if len(sizes) else 0.0
    return max(evidence.assumed, met, largest)


def _low(sizes: Floats) -> float:
    """Return the lower bound of the slow requests expected in as long a span."""
    total, squares = float(sizes.sum()), float((sizes**2).sum())
    return squares / total * gamma_quantile(total**2 / squares, 1 - CONFIDENCE) if total else 0.0


def _high(sizes: Floats, unseen: float) -> float:
    """Return the upper bound."""
    total = float(sizes.sum())
    squares = max(float((sizes**2).sum()), VARIATION * total**2 / len(sizes)) if total else 0.0
    total, squares = total + unseen, squares + unseen**2
    return squares / total * gamma_quantile(total**2 / squares, CONFIDENCE)
