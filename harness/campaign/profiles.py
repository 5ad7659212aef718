"""How much a campaign measures: profiles, and the rates that the ceilings place."""

from collections.abc import Sequence
from dataclasses import dataclass

from results.terms import SOAK, STEADY

SAME_RATE = 1.12
"""rates of a grid closer than this factor are one"""
SERVICES_LONG = 6
"""a trial lasts at least this many services"""
ENOUGH_ARRIVALS = 100
"""a trial lasts until so many tasks have come, if it may"""

EVERY = "every strategy"
"""stands for all variants of all strategies that are installed, but those measured only by name"""
USUAL_WAYS = "every usual strategy"
"""stands for those of them that do not leave it to longer profiles"""
EVERY_VARIANT = "every variant"
"""stands for those too"""


@dataclass(frozen=True)
class Profile:
    """How much a campaign measures."""

    name: str
    summary: str
    subjects: tuple[str, ...]
    """`strategy/variant`, `USUAL_WAYS` or `EVERY`"""
    kinds: tuple[str, ...]
    durations_ms: tuple[float, ...]
    fractions: tuple[float, ...]
    """of each subject's own predicted saturation"""
    common_rates_per_s: tuple[float, ...]
    max_rate_per_s: float
    overload: float
    """highest rate as a multiple of the ceiling"""
    seconds: float
    max_seconds: float
    drain_s: float
    bystander_per_s: float
    repeats: int
    topologies: tuple[str, ...] = ("one-box",)
    cpu_topologies: tuple[str, ...] = ("one-box",)
    """for the computing kinds, to which a broker's own cores matter"""
    sweep_durations_ms: tuple[float, ...] = ()
    sweep_rate_per_s: float = 8.0
    sweep_step_s: float = 2.0
    sweep_subjects: tuple[str, ...] = ()
    burst_subjects: tuple[str, ...] = ()
    burst_s: float = 6.0
    burst_base: float = 0.3
    """base rate as a fraction of the ceiling"""
    burst_spike: float = 2.0
    """rate of the spike, which lasts a quarter of the time, as a multiple of the ceiling"""
    registrations: bool = False
    """its requests are registrations, which start three tasks each: mail, notice and statistics"""
    soak: bool = False
    """its repeats are the chunks of one long run: they follow each other on one target"""
    attempts: int = 2
    """tries that an invalid trial gets in all"""
    retry_until_s: float = float("inf")
    """no invalid trial is repeated once the campaign has taken this long"""

    @property
    def scenario(self) -> str:
        """The load pattern of its trials at rates."""
        if self.soak:
            return SOAK
        return "fanout" if self.registrations else STEADY


FEATURED = ("background_tasks/default", "background_tasks_blocking/default", "celery/tuned", "arq/tuned")

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="under a minute: does everything work? Its figures mean little",
            subjects=("background_tasks/default", "celery/tuned", "arq/tuned"),
            kinds=("sleep",),
            durations_ms=(50.0,),
            fractions=(0.25,),
            common_rates_per_s=(),
            max_rate_per_s=200,
            overload=1.3,
            seconds=2,
            max_seconds=2,
            drain_s=5,
            bystander_per_s=40,
            repeats=1,
            burst_subjects=("background_tasks/default",),
            attempts=1,
        ),
        Profile(
            name="quick",
            summary="under five minutes: where the usual ways start to block, at tasks of 200 ms",
            subjects=(USUAL_WAYS,),
            kinds=("sleep",),
            durations_ms=(200.0,),
            fractions=(0.6, 1.3),
            common_rates_per_s=(50,),
            max_rate_per_s=600,
            overload=2,
            seconds=3,
            max_seconds=8,
            drain_s=4,
            bystander_per_s=60,
            repeats=1,
            sweep_durations_ms=(10, 50, 200, 500),
            sweep_subjects=(*FEATURED, "arq/default"),
            burst_subjects=FEATURED,
            retry_until_s=265,
        ),
        Profile(
            name="registration",
            summary="under ten minutes: the article's registration, whose tasks mail, call and write",
            subjects=(USUAL_WAYS,),
            kinds=("smtp",),
            durations_ms=(100.0,),
            fractions=(0.3, 0.6),
            common_rates_per_s=(10,),
            max_rate_per_s=60,
            overload=1,
            seconds=5,
            max_seconds=10,
            drain_s=10,
            bystander_per_s=40,
            repeats=1,
            registrations=True,
        ),
        Profile(
            name="soak",
            summary="two hours a strategy at 80 % of saturation, in chunks of five minutes: what grows?",
            subjects=("celery/tuned", "arq/tuned"),
            kinds=("sleep",),
            durations_ms=(100.0,),
            fractions=(0.8,),
            common_rates_per_s=(),
            max_rate_per_s=400,
            overload=1,
            seconds=300,
            max_seconds=300,
            drain_s=10,
            bystander_per_s=10,
            repeats=24,
            soak=True,
            attempts=1,
        ),
        Profile(
            name="full",
            summary="hours: all variants, kinds and durations in both topologies, three repeats",
            subjects=(EVERY,),
            kinds=("sleep", "cpu", "cpu_native"),
            durations_ms=(1.0, 10.0, 100.0, 1_000.0, 10_000.0),
            fractions=(0.25, 0.5, 0.8, 0.95, 1.05, 1.3),
            common_rates_per_s=(5, 50, 200),
            max_rate_per_s=1_000,
            overload=3,
            seconds=15,
            max_seconds=90,
            drain_s=30,
            bystander_per_s=50,
            repeats=3,
            cpu_topologies=("one-box", "split"),
            sweep_durations_ms=(1, 10, 50, 100, 200, 500, 1_000),
            sweep_subjects=(EVERY,),
            burst_subjects=(EVERY,),
            attempts=3,
        ),
    )
}


def takes(rule: Sequence[str], subject: str) -> bool:
    """Say whether a profile's rule takes a subject that is measured."""
    return not {EVERY, USUAL_WAYS}.isdisjoint(rule) or subject in rule


def rates(profile: Profile, ceiling_per_s: float | None) -> list[float]:
    """Return the rates to measure: fractions of the ceiling and the common grid, rising, none twice."""
    if ceiling_per_s is None:
        wanted = [*profile.common_rates_per_s, profile.max_rate_per_s]
        highest = profile.max_rate_per_s
    else:
        own = [fraction * ceiling_per_s for fraction in profile.fractions]
        highest = min(profile.max_rate_per_s, profile.overload * ceiling_per_s)
        wanted = [*own, *profile.common_rates_per_s]
        if own and min(own) > highest:
            wanted.append(highest)
    kept: list[float] = []
    for rate in sorted(wanted):
        if rate <= highest and (not kept or rate > SAME_RATE * kept[-1]):
            kept.append(float(f"{rate:.3g}"))
    return kept


def trial_seconds(seconds: float, max_seconds: float, duration_ms: float, rate_per_s: float) -> float:
    """Return a trial's length: at least six services long, longer where arrivals are rare."""
    wanted = max(seconds, ENOUGH_ARRIVALS / rate_per_s)
    return max(min(wanted, max_seconds), SERVICES_LONG * duration_ms / 1000)
