"""How much a search asks for: its profiles, and the points that they name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.campaign.predictions import predicted_blocking_per_s, predicted_per_s, subject_on
from harness.campaign.profiles import EVERY, SERVICES_LONG, USUAL_WAYS, trial_seconds
from harness.search.confirm import Terms
from harness.target.placement import Placement
from results.errors import BlockpointError
from results.schema import Point
from results.terms import KINDS
from results.traffic import USUAL, Traffic
from targets.settings import Settings

FEWEST_ARRIVALS = 12
"""in any trial: it lasts until so many tasks have come, whatever the profile says"""
LOOKS_LONG = 10
"""a trial lasts at least so many looks of a worker that polls: between two of them a backlog says nothing"""
BELOW_THE_LAW = 0.5
"""share of the predicted saturation at which the range of a search begins at the latest"""


@dataclass(frozen=True, kw_only=True)
class SearchProfile:
    """What a search looks for and what it may cost."""

    name: str
    summary: str
    subjects: tuple[str, ...] = (EVERY,)
    kinds: tuple[str, ...] = ("sleep",)
    durations_ms: tuple[float, ...]
    precision: float
    limit_ms: float = 100.0
    highest_per_s: float
    seconds: float
    max_seconds: float
    drain_s: float
    bystander_per_s: float
    max_trials: int
    """valid trials that a point gets at most"""
    turn: int
    """trials of a point before the others have theirs"""
    patience: int = 3
    """uncertain verdicts inside an interval after which the search is content with it"""
    attempts: int = 3
    """tries that an invalid trial gets in all"""
    budget_s: float = float("inf")
    most_requests: float = float("inf")
    """to be sent in all: no trial begins that could send more"""
    predict: bool = True
    """begin at what theory expects"""
    confirm_s: float = 0.0
    """longest trial that makes an edge sure; 0: none is made"""
    curves: bool = True
    """begin with rates that all subjects have in common"""
    topologies: tuple[str, ...] = ("one-box",)
    cpu_topologies: tuple[str, ...] = ("one-box",)
    computing_durations_ms: tuple[float, ...] = ()
    """for the computing kinds, where not the same"""

    def durations_of(self, kind: str) -> tuple[float, ...]:
        """Return how long its tasks of a kind last, in milliseconds."""
        computing = not KINDS[kind].held
        return self.computing_durations_ms if computing and self.computing_durations_ms else self.durations_ms

    @property
    def terms(self) -> Terms:
        """What making an edge sure may cost."""
        return Terms(self.seconds, self.confirm_s, self.precision)


SEARCHES = {
    profile.name: profile
    for profile in (
        SearchProfile(
            name="smoke",
            summary="under a minute: does everything work? Its figures mean little",
            subjects=("background_tasks/default", "celery/tuned", "arq/tuned"),
            durations_ms=(100.0,),
            precision=1.5,
            highest_per_s=600,
            seconds=2,
            max_seconds=3,
            drain_s=3,
            bystander_per_s=60,
            max_trials=3,
            turn=3,
            patience=1,
            attempts=1,
            budget_s=40,
            curves=False,
        ),
        SearchProfile(
            name="quick",
            summary="under six minutes: the usual ways at tasks of 100 ms, intervals about a quarter wide",
            subjects=(USUAL_WAYS,),
            durations_ms=(100.0,),
            precision=1.25,
            highest_per_s=680,
            seconds=2,
            max_seconds=6,
            drain_s=3,
            bystander_per_s=80,
            max_trials=8,
            turn=2,
            patience=2,
            confirm_s=15,
            budget_s=330,
        ),
        SearchProfile(
            name="standard",
            summary="about two minutes a point: intervals a tenth wide, most of them confirmed at length",
            durations_ms=(100.0,),
            precision=1.1,
            highest_per_s=2_000,
            seconds=5,
            max_seconds=15,
            drain_s=5,
            bystander_per_s=100,
            max_trials=24,
            turn=24,
            confirm_s=60,
        ),
        SearchProfile(
            name="full",
            summary="within twelve hours: the usual ways, 1 ms to 30 s, and computing in both topologies",
            subjects=(USUAL_WAYS,),
            kinds=("sleep", "cpu", "cpu_native"),
            durations_ms=(1.0, 10.0, 100.0, 1_000.0, 10_000.0, 30_000.0),
            computing_durations_ms=(10.0, 100.0, 1_000.0),
            precision=1.1,
            highest_per_s=3_000,
            seconds=5,
            max_seconds=60,
            drain_s=10,
            bystander_per_s=100,
            max_trials=16,
            turn=2,
            confirm_s=60,
            budget_s=12 * 3_600,
            cpu_topologies=("one-box", "split"),
        ),
    )
}


def search_seconds(point: Point, rate_per_s: float) -> float:
    """Return the length of a search's trial."""
    usual = trial_seconds(point.seconds, point.max_seconds, point.duration_ms, rate_per_s)
    return max(usual, FEWEST_ARRIVALS / rate_per_s)


def stairs_seconds(point: Point, steps: int) -> float:
    """Return the length of a trial on rising stairs; on the lowest few tasks come, which is enough there."""
    return steps * max(point.seconds, SERVICES_LONG * point.duration_ms / 1000)


def points(
    profile: SearchProfile,
    subjects: Sequence[str],
    base: Settings,
    placement: Placement,
    traffic: Traffic = USUAL,
) -> list[Point]:
    """Return every point of a search, with what theory expects of it.

    Raises BlockpointError where its highest rate is too low for any trial.
    """
    found = [
        _point(profile, (subject, kind, duration_ms, topology), base, placement, traffic)
        for subject in subjects
        for kind in profile.kinds
        for topology in (profile.topologies if KINDS[kind].held else profile.cpu_topologies)
        for duration_ms in profile.durations_of(kind)
    ]
    for point in found:
        if point.highest_per_s < point.lowest_per_s:
            raise BlockpointError(too_low(point))
    return found


def too_low(point: Point) -> str:
    """Return why no trial can be made of a point: its highest rate is below its lowest."""
    needed_s = math.ceil(FEWEST_ARRIVALS / point.highest_per_s)
    return (
        f"--max-rate {point.highest_per_s:g} is below {point.lowest_per_s:.3g}/s, the lowest rate at which "
        f"a trial of {point.subject} has {FEWEST_ARRIVALS} tasks: ask for a higher one, or for longer trials "
        f"(--seconds {needed_s})"
    )


def _point(
    profile: SearchProfile,
    where: tuple[str, str, float, str],
    base: Settings,
    placement: Placement,
    traffic: Traffic,
) -> Point:
    subject, kind, duration_ms, topology = where
    services_s = SERVICES_LONG * duration_ms / 1000
    declared, _ = subject_on(subject, base, placement.pinning(topology))
    seconds = max(profile.seconds, LOOKS_LONG * declared.services[kind].poll_s)
    law = predicted_per_s(
        subject, base, kind, duration_ms, topology, placement=placement, lasting=traffic.lasting
    )
    blocking = None
    if profile.predict:
        blocking = predicted_blocking_per_s(
            subject,
            base,
            kind,
            duration_ms,
            topology,
            placement=placement,
            limit_ms=profile.limit_ms,
            seconds=max(seconds, services_s),
            bystander_per_s=profile.bystander_per_s,
            traffic=traffic,
        )
    return Point(
        subject=subject,
        kind=kind,
        duration_ms=duration_ms,
        topology=topology,
        saturation_per_s=law if profile.predict else None,
        blocking_per_s=blocking if blocking is not None and math.isfinite(blocking) else None,
        lowest_per_s=_lowest_per_s(profile, services_s, law),
        highest_per_s=profile.highest_per_s,
        seconds=seconds,
        max_seconds=max(profile.max_seconds, seconds),
        bystander_per_s=profile.bystander_per_s,
        options=traffic.options,
    )


def _lowest_per_s(profile: SearchProfile, services_s: float, law_per_s: float | None) -> float:
    """Return where a search's range begins: where theory has a law, low enough to see the work keep up."""
    usual = FEWEST_ARRIVALS / max(profile.max_seconds, services_s)
    return min(usual, BELOW_THE_LAW * law_per_s) if law_per_s else usual
