"""What a search is to find, and what it has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.trials.brackets import Verdict
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.slowness import Spells, judge, pool

REFUTED = 1.15
"""times a measured capacity that a rate that held may be: a short trial errs by less"""


@dataclass(frozen=True)
class Goal:
    """What a search is to find, and what theory expects of it."""

    precision: float
    """the wanted width of an interval: its failed rate over its held one"""
    lowest_per_s: float
    highest_per_s: float
    expected_per_s: Mapping[str, float | None]
    """what theory predicts, by question: 0 where it gives way at any rate, infinite where at none, None where
    nothing is known; what is not in here is not searched"""
    patience: int = 3
    """uncertain verdicts inside an interval after which the search is content with a wider one"""
    blind: bool = False
    """nothing is known beforehand, not even how many tasks make a trial that tells"""
    lengthens: bool = False
    """what short trials cannot tell is left to longer ones"""
    curves: bool = False
    """begin with a curve over common rates, and look at several rates in one trial"""


@dataclass(frozen=True)
class Observation:
    """One step of a valid trial, as the search sees it."""

    rate_per_s: float
    verdicts: Mapping[str, Verdict]
    """by question"""
    completions_per_s: float
    """slope of the completions: the service's own rate where work was always waiting"""
    streams: Mapping[str, Spells] = field(default_factory=dict)
    """the slow spells of each stream of requests"""

    def failed(self, question: str) -> bool:
        """Say whether it gave way."""
        return self.verdicts[question].failed

    @property
    def overloaded(self) -> bool:
        """Whether the work certainly fell behind: no doubt that more came than could be done."""
        return self.failed(SATURATION) and self.verdicts[SATURATION].certain


def verdicts(seen: Sequence[Observation], question: str) -> list[Verdict]:
    """Return all answers to one question.

    Of slowness, short trials are only to locate where it begins: each counts as sure, and of repeats at one
    rate what they say together.
    """
    answers = [observation.verdicts[question] for observation in seen]
    if question != BLOCKING:
        return answers
    by_rate: dict[float, list[Observation]] = {}
    for each in seen:
        by_rate.setdefault(each.rate_per_s, []).append(each)
    return [Verdict(rate, _slow(same, question)) for rate, same in by_rate.items()]


def _slow(same: Sequence[Observation], question: str) -> bool:
    names = {name for each in same for name in each.streams}
    pooled = [judge(pool(each.streams[name] for each in same if name in each.streams)) for name in names]
    return any(found.blocked for found in pooled) if names else any(each.failed(question) for each in same)


def capacity(seen: Sequence[Observation]) -> float | None:
    """Return the rate at which work was done where it certainly fell behind, at the lowest such rate.

    A saturated server works as fast as it can: one trial above the saturation point shows where it lies.
    Where the server kept up with much more than that, the ends of the work were seen late, and it shows
    nothing: so it is where one asks for them what the work itself holds up.
    """
    behind = [s for s in seen if s.overloaded and s.completions_per_s > 0]
    if not behind:
        return None
    told = min(behind, key=lambda s: s.rate_per_s).completions_per_s
    kept = max((s.rate_per_s for s in seen if not s.failed(SATURATION)), default=0.0)
    return told if kept <= told * REFUTED else None
