"""What the command `plan` is asked for, and what it makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from results.errors import BlockpointError

if TYPE_CHECKING:
    from analysis.plan.words import ToldPlan

LOWEST_PER_S: Final = 0.01
HIGHEST_PER_S: Final = 20_000
"""what the generator could offer"""


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What `plan` was asked for."""

    campaign: str
    """empty for the reference that ships with this package"""
    rates_per_s: tuple[float, float]
    duration_ms: float | None
    cv: float
    kind: str
    slo_p99_ms: float | None
    done_within_ms: float
    durable: bool
    cores: int | None
    peak_s: float
    headroom: float
    pool: int | None
    """of a service: how many there are now of what blocks"""
    html: str
    as_json: bool
    asked: Mapping[str, str]
    """of the options that say something of strategies or of services only: those given, as they were spelt"""

    def refuse(self, foreign: tuple[str, ...], why: str) -> None:
        """Raise BlockpointError for the first of these options that was given."""
        for name in foreign:
            if name in self.asked:
                raise BlockpointError(f"{self.asked[name].split()[0]} {why}: leave it out")


@dataclass(frozen=True)
class Planned:
    """A plan that was made."""

    told: "ToldPlan"
    drawing: str
    """empty where there is none, or nobody wants it"""
    document: dict[str, Any]


def parse_rates(text: str) -> tuple[float, float]:
    """Return the ends of a rate or an interval, `120` or `80..150`; raises BlockpointError."""
    first, between, second = text.partition("..")
    try:
        low = float(first)
        high = float(second) if between else low
    except ValueError:
        raise BlockpointError(f"--rate: {text!r} is no rate; write 120, or 80..150") from None
    if not LOWEST_PER_S <= low <= high <= HIGHEST_PER_S:
        raise BlockpointError(
            f"--rate: {text!r} is not between {LOWEST_PER_S:g} and {HIGHEST_PER_S:g}/s, lower end first"
        )
    return low, high


def kind_of(name: str) -> str:
    """Return the kind that `io` and `cpu` stand for, or the one of that name; raises BlockpointError."""
    from results.errors import lookup
    from results.terms import KINDS

    known = {kind: kind for kind in KINDS} | {"io": "sleep"}
    return lookup("kind", name, known)
