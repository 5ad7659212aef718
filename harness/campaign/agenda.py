"""What a new campaign is to measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from results.schema import Plan, Point, Subject


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """What a new campaign is to measure: planned trials, or points whose trials follow from each other."""

    profile: str
    plans: Sequence[Plan] = ()
    points: Sequence[Point] = ()
    limit_ms: float = 100.0
    precision: float = 1.1
    jobs: int = 1
    left_out: Mapping[str, str] = field(default_factory=dict)
    subjects: Sequence[Subject] = ()
    """what is measured, where it is no strategy"""

    @property
    def work(self) -> list[Plan | Point]:
        """Return all that is to be measured, planned or searched."""
        return [*self.plans, *self.points]

    @property
    def keys(self) -> list[str]:
        """Return whom that concerns, each once."""
        return list(dict.fromkeys(item.subject for item in self.work))
