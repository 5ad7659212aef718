"""How tasks come and how long they last: what a plan's options say of it, and what they may say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from results.errors import BlockpointError
from results.lasting import Lasting

ARRIVALS: Final = ("poisson", "constant", "onoff", "trace")
BURST_MEAN_S: Final = 0.5
LEAST_MIX: Final = 1.5
MOST_MIX: Final = 1_000.0
MOST_VARIATION: Final = 10.0
"""a lognormal law of more would put most of the work into tasks that a trial never sees"""


@dataclass(frozen=True)
class Traffic:
    """The law of arrivals and durations; the rate and the mean duration stand beside it."""

    arrivals: str = "poisson"
    """`poisson`, `constant`, `onoff` (stretches at twice the rate, then silences) or `trace`"""
    cv: float = 0.0
    """coefficient of variation of a task's duration, which is lognormal; 0: all are equally long"""
    burst_mean_s: float = BURST_MEAN_S
    """`onoff`: mean length of a stretch, and of the silence after it"""
    trace: str = ""
    """`trace`: the file of arrivals"""
    mix: float = 0.0
    """one task in ten lasts so many times as long as the others; 0: as long"""

    def check(self) -> "Traffic":
        """Return it; raises BlockpointError for options that do not fit together."""
        if self.trace and self.arrivals != "trace":
            raise BlockpointError("--trace: says nothing without --arrivals trace")
        if self.arrivals == "trace" and not self.trace:
            raise BlockpointError("--arrivals trace: give the file of arrivals too, --trace FILE")
        if self.burst_mean_s != BURST_MEAN_S and self.arrivals != "onoff":
            raise BlockpointError("--burst-mean-s: says nothing without --arrivals onoff")
        if self.mix and self.cv:
            raise BlockpointError("--mix: with --cv the durations would follow two laws")
        return self

    @property
    def lasting(self) -> Lasting:
        """The law of its durations."""
        return Lasting(self.cv, self.mix)

    @property
    def even(self) -> bool:
        """Whether the number of arrivals by any moment is known from the rate, chance aside."""
        return self.arrivals in ("poisson", "constant")

    def settled_ms(self, duration_ms: float) -> float:
        """Return how long slots take to fill: a service, or what is left of one on average if that is more.

        The mean rest of a service that is met at random is S (1 + cv^2) / 2 (Feller's waiting time paradox).
        """
        return duration_ms * max(1.0, (1 + self.lasting.variation**2) / 2)

    @property
    def options(self) -> list[str]:
        """Whatever is not the default, as a scenario's options."""
        usual = Traffic()
        told = {
            "--arrivals": (self.arrivals, usual.arrivals),
            "--cv": (f"{self.cv:g}", f"{usual.cv:g}"),
            "--burst-mean-s": (f"{self.burst_mean_s:g}", f"{usual.burst_mean_s:g}"),
            "--trace": (self.trace, usual.trace),
            "--mix": (f"{self.mix:g}", f"{usual.mix:g}"),
        }
        return [part for name, (own, other) in told.items() if own != other for part in (name, own)]

    @classmethod
    def of(cls, options: Sequence[str]) -> "Traffic":
        """Return the traffic that a scenario's options ask for; raises ValueError where it is none."""
        told = dict(zip(options[::2], options[1::2], strict=False))
        arrivals, cv = told.get("--arrivals", "poisson"), float(told.get("--cv", 0.0))
        mean_s = float(told.get("--burst-mean-s", BURST_MEAN_S))
        mix = float(told.get("--mix", 0.0))
        lasting = 0 <= cv <= MOST_VARIATION and (not mix or LEAST_MIX <= mix <= MOST_MIX)
        if arrivals not in ARRIVALS or not lasting or not mean_s > 0:
            raise ValueError(f"unknown traffic: {' '.join(options)}")
        return cls(arrivals, cv, mean_s, told.get("--trace", ""), mix)

    @property
    def words(self) -> str:
        """What it is, in a few words; empty for the usual."""
        come = {
            "constant": "evenly spaced arrivals",
            "onoff": f"on/off arrivals, {self.burst_mean_s:g} s at twice the rate",
            "trace": "arrivals of a trace",
        }
        last = f"lognormal durations of cv {self.cv:g}" if self.cv else ""
        last = f"one task in ten {self.mix:g} times as long as the others" if self.mix else last
        return ", ".join(filter(None, (come.get(self.arrivals, ""), last)))


USUAL: Final = Traffic()
