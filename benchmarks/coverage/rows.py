"""The rows of the table: what is searched, and by which profiles."""

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.coverage.stalls import Stalls
from benchmarks.coverage.target import Target
from harness.search.profiles import SEARCHES

PROFILES: Final = {
    "quick": SEARCHES["quick"],
    "standard": SEARCHES["standard"],
    "1.05": replace(SEARCHES["standard"], name="1.05", precision=1.05),
}


@dataclass(frozen=True)
class Row:
    """One kind of target."""

    name: str
    target: Target
    steady: bool = True
    """it has nothing that comes by chance but arrivals: most of its answers should bear no mark"""
    hiccup_s: float = 0.0
    """how long its loop stands still once in a search, in the first trial; no part of the long run"""
    blind: bool = False
    """it is a service of somebody's own, of which nothing is known beforehand"""

    @property
    def fixed(self) -> bool:
        """Whether its durations are."""
        return self.target.law == "fixed" and not self.target.loop_s


_POOL: Final = Target(slots=40, mean_s=0.1)
_FAST: Final = Target(slots=1000, mean_s=0.01)

ROWS: Final = (
    Row("40 x 100 ms", _POOL),
    Row("40 x 500 ms", replace(_POOL, mean_s=0.5)),
    Row("10 x 100 ms", replace(_POOL, slots=10)),
    Row("own pool, 40 x 100 ms", replace(_POOL, shared=False)),
    Row("exponential", replace(_POOL, law="exponential"), steady=False),
    Row("lognormal, cv 2", replace(_POOL, law="lognormal"), steady=False),
    Row("free Poisson", replace(_POOL, arrivals="poisson"), steady=False),
    Row("on/off 0.5 s", replace(_POOL, arrivals="onoff"), steady=False),
    Row("stalls 0.4 s in 4 s", replace(_FAST, stalls=Stalls(0.4, 4)), steady=False),
    Row("stalls 0.5 s in 20 s", replace(_FAST, stalls=Stalls(0.5, 20)), steady=False),
    Row("one hiccup of 0.25 s", _POOL, steady=False, hiccup_s=0.25),
    Row("connections, blind", replace(_POOL, slots=15, passes=1), steady=False, blind=True),
    Row("blocked loop, blind", replace(_POOL, slots=1, mean_s=0.05, passes=1), steady=False, blind=True),
    Row("core-bound", Target(slots=100, mean_s=0.1, shared=False, loop_s=0.0022), steady=False),
)
RARE_STALLS: Final = "stalls 0.5 s in 20 s"
FREQUENT_STALLS: Final = "stalls 0.4 s in 4 s"
