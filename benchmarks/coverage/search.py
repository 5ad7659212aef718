"""One search of a simulated target, as `blockpoint find` makes it: policy, verdicts, brackets and marks."""

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import pandas as pd

from analysis.queueing.blocking import blocking_rate
from analysis.trials.points import by_question, find_points
from analysis.trials.questions import BLOCKING, SATURATION
from benchmarks.coverage.stalls import Stalls
from benchmarks.coverage.target import Target
from benchmarks.coverage.trial import simulate
from harness.campaign.profiles import SERVICES_LONG
from harness.commands.find_service import HIGHEST_PER_S, TRIALS
from harness.search.goal import Goal, Observation
from harness.search.policy import next_step
from harness.search.profiles import BELOW_THE_LAW, FEWEST_ARRIVALS, SearchProfile
from harness.search.trials import observed, planned
from results.schema import Manifest, Point, Service, Subject
from results.terms import REQUEST

SUBJECT: Final = "simulated/target"
KIND: Final = "sleep"


@dataclass(frozen=True)
class Interval:
    """A search's answer to one question; open ends are 0 and infinite."""

    held: float
    failed: float
    marked: bool
    """`~`, a repeat may move it, or `*`, it moves with the machine"""


@dataclass(frozen=True)
class Answer:
    """What one search found, and what it cost."""

    blocking: Interval
    saturation: Interval
    trials: int
    seconds: float


def search(
    target: Target, profile: SearchProfile, seed: int, hiccup_s: float = 0.0, *, blind: bool = False
) -> Answer:
    """Search a target; `hiccup_s`: its loop stands still so long, once, in the first trial.

    `blind`: as one searches a service, of which nothing is known beforehand.
    """
    if blind:
        profile = of_a_service(profile)
    manifest = manifest_of(target, profile, seed, blind=blind)
    (point,) = manifest.points
    goal = Goal(
        precision=profile.precision,
        lowest_per_s=point.lowest_per_s,
        highest_per_s=point.highest_per_s,
        expected_per_s={
            SATURATION: point.saturation_per_s,
            BLOCKING: None if blind else _expected(point.blocking_per_s),
        },
        patience=profile.patience,
        blind=blind,
        curves=profile.curves,
    )
    seen: list[Observation] = []
    rows: list[dict[str, Any]] = []
    trials = 0
    while trials < profile.max_trials and (step := next_step(goal, profile.terms, seen)):
        plan = planned(point, step, seed + trials)
        met = replace(target, stalls=Stalls(hiccup_s, plan.seconds)) if hiccup_s and not seen else target
        own = simulate(met, plan, step.stairs or [step.rate_per_s], manifest, profile.drain_s)
        rows += own
        seen += (observed(row, manifest.limit_ms) for row in own)
        trials += 1
    found = by_question(find_points(pd.DataFrame(rows), manifest))
    return Answer(
        _interval(found[BLOCKING]),
        _interval(found[SATURATION]),
        trials,
        sum(float(row["load_s"]) for row in rows),
    )


def _expected(blocking_per_s: float | None) -> float:
    return math.inf if blocking_per_s is None else blocking_per_s


def of_a_service(profile: SearchProfile) -> SearchProfile:
    """Return the profile as `find -f` takes it."""
    highest_per_s, trials = min(profile.highest_per_s, HIGHEST_PER_S), max(profile.max_trials, TRIALS)
    return replace(profile, highest_per_s=highest_per_s, max_trials=trials, curves=False, predict=False)


def _interval(row: dict[str, Any]) -> Interval:
    held, failed = float(row["held_per_s"]), float(row["failed_per_s"])
    return Interval(
        0.0 if math.isnan(held) else held,
        math.inf if math.isnan(failed) else failed,
        marked=bool(row["shaky"] or row["core_bound"]),
    )


def manifest_of(target: Target, profile: SearchProfile, seed: int, *, blind: bool = False) -> Manifest:
    """Return the manifest of a search that has the target for its one point."""
    shares = ["ping_sync"] if target.shared else []
    service = Service(law="pool", slots=target.slots, shares=shares)
    strategy, _, variant = SUBJECT.partition("/")
    services = {} if blind else {KIND: service}
    asked = {"accept": "POST /tasks"} if blind else {}
    subject = Subject(strategy=strategy, variant=variant, summary="", services=services, asked=asked)
    point = _point(target, service, profile)
    if blind:
        point = msgspec.structs.replace(
            point, kind=REQUEST.name, duration_ms=0.0, saturation_per_s=None, blocking_per_s=None
        )
    return Manifest(
        campaign="simulated",
        created_at="",
        command=[],
        profile=profile.name,
        seed=seed,
        topology=["one-box"],
        loop="",
        http="",
        subjects=[subject],
        plans=[],
        points=[point],
        limit_ms=profile.limit_ms,
        precision=profile.precision,
        calibration={},
        pinning={},
        environment={},
    )


def _point(target: Target, service: Service, profile: SearchProfile) -> Point:
    """Return what a search knows of a target: its law, for its traffic and an idle core."""
    duration_ms = target.mean_s * 1000
    services_s = SERVICES_LONG * target.mean_s
    law = target.slots / target.mean_s
    usual = FEWEST_ARRIVALS / max(profile.max_seconds, services_s)
    blocking = blocking_rate(
        service,
        KIND,
        duration_ms,
        1,
        limit_ms=profile.limit_ms,
        seconds=max(profile.seconds, services_s),
        bystander_per_s=profile.bystander_per_s,
        traffic=target.traffic,
    )
    return Point(
        subject=SUBJECT,
        kind=KIND,
        duration_ms=duration_ms,
        saturation_per_s=law,
        blocking_per_s=None if blocking is None or math.isinf(blocking) else blocking,
        lowest_per_s=min(usual, BELOW_THE_LAW * law),
        highest_per_s=profile.highest_per_s,
        seconds=profile.seconds,
        max_seconds=profile.max_seconds,
        bystander_per_s=profile.bystander_per_s,
        options=target.traffic.options,
    )
