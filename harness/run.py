"""The command `run`: from what was asked for to a finished campaign and its report."""

import dataclasses
import datetime as dt
import functools
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.campaign import Session, expected_s, missing, run_campaign, tally
from harness.environment import environment
from harness.expectation import predicted_per_s, select, subject_on
from harness.pinning import ROLES, Pinning, available_cores
from harness.placement import Placement
from harness.planner import Planner
from harness.processes import Family, family
from harness.profiles import PROFILES, Profile
from harness.progress import Progress, describe, minutes
from harness.trial import Limits
from results.errors import BlockpointError, unknown
from results.schema import Manifest, Plan
from results.store import Campaign, campaign_folder, create_campaign, open_campaign, runs_folder
from targets.settings import Settings
from targets.work import KINDS, calibrate


@dataclasses.dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    profile: str
    strategies: tuple[str, ...]
    variants: tuple[str, ...]
    kinds: tuple[str, ...]
    durations_ms: tuple[float, ...]
    rates_per_s: tuple[float, ...]
    seconds: float | None
    attempts: int | None
    repeats: int | None
    topologies: tuple[str, ...]
    seed: int
    slots: int
    loop: str
    http: str
    redis_url: str
    placement: Placement
    max_foreign_cores: float
    name: str
    resume: str
    dry_run: bool
    report: bool


def run_command(request: Request) -> int:
    """Run a new campaign or go on with an old one; returns the exit code.

    Raises BlockpointError for whatever the user can put right.
    """
    console = Console(highlight=False)
    say = functools.partial(console.print, soft_wrap=True, markup=False)
    if request.resume:
        campaign = _resumed(request)
        profile = _changed(named_profile(campaign.manifest.profile), attempts=request.attempts)
        plans = [plan for plan, _ in missing(campaign, profile.attempts)]
    else:
        profile = _profile(request)
        plans = _plans(request, profile)
    if request.dry_run:
        _show_plan(console, plans, request, profile)
        return 0
    with family() as members:
        pinning = _recorded_pinning(campaign) if request.resume else request.placement.pinning("one-box")
        pinning.apply(os.getpid(), "harness")
        if not request.resume:
            campaign = _created(request, profile, plans, members, pinning)
        manifest = campaign.manifest
        session = Session(
            family=members,
            settings=_settings(manifest.slots, manifest.calibration),
            limits=Limits(profile.drain_s, request.max_foreign_cores),
            attempts=profile.attempts,
            retry_until_s=profile.retry_until_s,
            loop=manifest.loop,
            http=manifest.http,
            redis_url=request.redis_url,
        )
        say(f"campaign {campaign.folder}: {len(plans)} trials, about {minutes(_total_s(plans))}")
        with Progress(console, _total_s(plans), len(plans)) as progress:
            run_campaign(session, campaign, progress)
    if available_cores():
        os.sched_setaffinity(0, available_cores())
    return _conclude(campaign, request.report, say)


def named_profile(name: str) -> Profile:
    """Return a profile; raises BlockpointError for an unknown name."""
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    return PROFILES[name]


def _profile(request: Request) -> Profile:
    return _changed(
        named_profile(request.profile),
        attempts=request.attempts,
        kinds=request.kinds,
        durations_ms=request.durations_ms,
        repeats=request.repeats,
        topologies=request.topologies,
        cpu_topologies=request.topologies,
        seconds=request.seconds,
        max_seconds=request.seconds,
    )


def _changed(profile: Profile, **changes: Any) -> Profile:
    """Return the profile with whatever was asked for; asking for attempts lifts the limit on their time."""
    asked = {name: value for name, value in changes.items() if value}
    if "attempts" in asked:
        asked["retry_until_s"] = float("inf")
    return dataclasses.replace(profile, **asked)


def _plans(request: Request, profile: Profile) -> list[Plan]:
    base = Settings(slots=request.slots)
    keys = select(profile.subjects, request.strategies, request.variants)

    def ceiling(key: str, kind: str, duration_ms: float, topology: str) -> float | None:
        return predicted_per_s(key, base, kind, duration_ms, topology, placement=request.placement)

    topologies = dict.fromkeys([*profile.topologies, *(profile.cpu_topologies if _computes(profile) else ())])
    plans = Planner(profile, ceiling, request.seed, request.rates_per_s).plan(keys, list(topologies))
    if not plans:
        raise BlockpointError("nothing to measure: no trial of this profile fits what was asked for")
    return plans


def _computes(profile: Profile) -> bool:
    return any(KINDS[kind].calibrated for kind in profile.kinds)


def _created(
    request: Request, profile: Profile, plans: list[Plan], members: Family, pinning: Pinning
) -> Campaign:
    name = request.name or f"{profile.name}-{dt.datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name or name.startswith("."):
        raise BlockpointError(f"{name!r} cannot be a campaign's name: use letters, digits, dots and dashes")
    base = Settings(slots=request.slots)
    calibration = {kind: calibrate(kind) for kind in KINDS if KINDS[kind].calibrated and _computes(profile)}
    topologies = list(dict.fromkeys(plan.topology for plan in plans))
    manifest = Manifest(
        campaign=name,
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        command=[Path(sys.argv[0]).name, *sys.argv[1:]],
        profile=profile.name,
        seed=request.seed,
        topology=topologies,
        slots=request.slots,
        loop=served_by(request.loop, ("uvloop", "asyncio")),
        http=served_by(request.http, ("httptools", "h11")),
        subjects=[subject_on(key, base, pinning)[0] for key in dict.fromkeys(plan.subject for plan in plans)],
        plans=plans,
        calibration=calibration,
        pinning={name: request.placement.pinning(name).describe() for name in topologies},
        environment={**environment(), "broker": _broker(request, members, pinning)},
    )
    return create_campaign(runs_folder() / name, manifest)


def served_by(asked: str, choices: tuple[str, str]) -> str:
    """Return what uvicorn's `auto` comes to: the first of two choices where it is installed."""
    if asked != "auto":
        return asked
    fast, plain = choices
    return fast if importlib.util.find_spec(fast) else plain


def _broker(request: Request, members: Family, pinning: Pinning) -> dict[str, str]:
    from harness.broker import embedded_broker, external_broker

    with (
        external_broker(request.redis_url)
        if request.redis_url
        else embedded_broker(members, members.folder / "first-look", pinning)
    ) as broker:
        return broker.describe()


def _resumed(request: Request) -> Campaign:
    campaign = open_campaign(campaign_folder(request.resume))
    then, now = campaign.manifest.environment, environment()
    for part, name in (("packages", "packages"), ("python", "Python"), ("git", "code")):
        if then.get(part) != now[part]:
            raise BlockpointError(
                f"{campaign.folder} was measured with other {name} than are here now: "
                "its trials would not be comparable; start a new campaign"
            )
    if then.get("host", {}).get("cpu_model") != now["host"]["cpu_model"]:
        raise BlockpointError(f"{campaign.folder} was measured on another machine; start a new campaign here")
    return campaign


def _recorded_pinning(campaign: Campaign) -> Pinning:
    """Return where the harness sat; raises BlockpointError where a recorded core is not there any more."""
    recorded = [Pinning.described(described) for described in campaign.manifest.pinning.values()]
    cores = {core for pinning in recorded for role in ROLES for core in pinning.cores(role)}
    if missing := sorted(cores.difference(available_cores())):
        raise BlockpointError(
            f"{campaign.folder} was measured on core {missing[0]} too, which is not available here"
        )
    return recorded[0]


def _settings(slots: int, calibration: dict[str, float]) -> Settings:
    return Settings(
        slots=slots,
        units_per_ms_cpu=calibration.get("cpu", 1.0),
        units_per_ms_cpu_native=calibration.get("cpu_native", 1.0),
    )


def _total_s(plans: list[Plan]) -> float:
    return sum(expected_s(plan) for plan in plans)


def _show_plan(console: Console, plans: list[Plan], request: Request, profile: Profile) -> None:
    base = Settings(slots=request.slots)
    table = Table("trial", "length", "ceiling", box=None, pad_edge=False)
    for plan in plans:
        limit = predicted_per_s(
            plan.subject, base, plan.kind, plan.duration_ms, plan.topology, placement=request.placement
        )
        table.add_row(describe(plan), f"{plan.seconds:g} s", "none" if limit is None else f"{limit:g}/s")
    console.print(table)
    console.print(f"{len(plans)} trials of profile {profile.name}, about {minutes(_total_s(plans))} in all")


def _conclude(campaign: Campaign, report: bool, say: Callable[[str], None]) -> int:
    counts = tally(campaign)
    if counts.invalid:
        say(
            f"{counts.invalid} of {len(campaign.manifest.plans)} trials stayed invalid: kept with their "
            "reasons, drawn as crosses, not averaged in\nonce the machine is quieter, try them again: "
            f"blockpoint run --resume {campaign.folder.name} --attempts 5"
        )
    if counts.failed:
        say(f"{counts.failed} trials could not be measured")
    if not counts.valid + counts.invalid:
        raise BlockpointError(f"{campaign.folder}: no trial could be measured")
    if report:
        from analysis.report import make_report

        say(f"report: {make_report(campaign.folder, say)}")
    return 1 if counts.failed or not counts.valid else 0
