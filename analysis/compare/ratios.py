"""By which factor two sides differ: second over first, with what is known of its interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.stats import ratio_interval
from analysis.trials.agreement import RELEVANT
from analysis.trials.brackets import Bracket
from analysis.trials.questions import BLOCKING, SATURATION
from results.percentile import percentile
from results.terms import OFFERED_BY_ALL, Stream

Floats = npt.NDArray[np.float64]
Figures = dict[str, Floats]
Pair = tuple[Figures, Figures]

FEWEST_PAIRS: Final = 2
"""by which it is seen how runs differ from each other"""
LATENCIES: Final = {
    "accept p50": (Stream.TASKS.column, 50),
    **{f"{each.latency} p99": (each.column, 99) for each in (Stream.TASKS, *OFFERED_BY_ALL)},
    "completion p50": ("completion", 50),
    "completion p99": ("completion", 99),
}
TAILS: Final = 1.5
"""the factor below which a p99 does not count: near saturation, repeats under other seeds are as far apart"""
THROUGHPUT: Final = "throughput"
RATES: Final = (BLOCKING, SATURATION, THROUGHPUT)
"""of which less is worse; of everything else more is"""
METRICS: Final = (BLOCKING, SATURATION, *LATENCIES, THROUGHPUT)


@dataclass(frozen=True)
class Ratio:
    """One metric of the second side over that of the first."""

    metric: str
    low: float
    middle: float
    """NaN where one side is not known"""
    high: float
    shaky: bool = False
    """what it is made of may move when repeated"""

    @property
    def known(self) -> bool:
        """Whether anything can be told of it."""
        return not math.isnan(self.low) and not math.isnan(self.high)

    @property
    def margin(self) -> float:
        """Return the factor that an interval has to clear to count."""
        if self.metric in (BLOCKING, SATURATION):
            return 1.0
        return TAILS if self.metric.endswith("p99") else RELEVANT

    @property
    def differs(self) -> bool:
        """Whether all of the interval lies beyond a difference that counts, and nothing in it is shaky."""
        return not self.shaky and (self.low > self.margin or self.high < 1 / self.margin)

    @property
    def worse(self) -> bool:
        """Whether the second side is worse."""
        return self.differs and (self.high < 1 if self.metric in RATES else self.low > 1)

    @property
    def better(self) -> bool:
        """Whether it is better."""
        return self.differs and not self.worse


def of_brackets(metric: str, first: Bracket, second: Bracket, *, shaky: bool) -> Ratio:
    """Return the ratio of two rates of which only an interval each is known: all that it may be.

    The least is the second's held rate over the first's failed one, the most the other way round.
    """
    low = _over(second.held or 0.0, first.failed)
    high = _over(second.failed, first.held or 0.0)
    known = low > 0 and math.isfinite(high)
    middle = math.sqrt(low * high) if known else math.nan
    if low <= 0 and math.isinf(high):
        return Ratio(metric, math.nan, math.nan, math.nan, shaky)
    return Ratio(metric, low, middle, high, shaky)


def of_pairs(pairs: Sequence[Pair]) -> Iterator[Ratio]:
    """Yield the ratio of each metric over pairs of runs that met the same load: a bootstrap of the runs."""
    for metric, (name, p) in {**LATENCIES, THROUGHPUT: (THROUGHPUT, 50)}.items():
        both = [(a[name], b[name]) for a, b in pairs if len(a[name]) and len(b[name])]
        if len(both) < FEWEST_PAIRS:
            yield Ratio(metric, math.nan, math.nan, math.nan)
            continue
        first, second = ([pair[side] for pair in both] for side in (0, 1))
        logs = [_log(percentile(b, p), percentile(a, p)) for a, b in both]
        low, high = ratio_interval(second, first, p)
        yield Ratio(metric, low, float(np.exp(np.mean(logs))), high)


def _over(above: float | None, below: float | None) -> float:
    """Return a quotient of edges, of which a missing failed one has no end."""
    if above is None:
        return math.inf
    if below is None:
        return 0.0
    return above / below if below else math.inf


def _log(above: float, below: float) -> float:
    return math.log(above / below) if above > 0 and below > 0 else math.nan
