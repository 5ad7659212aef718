"""The command `run`: from what was asked for to a finished campaign and its report."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.campaign.grid import Planner
from harness.campaign.predictions import predicted_per_s, select
from harness.campaign.profiles import PROFILES, SERVICES_LONG, Profile
from harness.campaign.progress import Progress, describe, minutes
from harness.campaign.runner import expected_s, missing, run_campaign, tally, unmeasured_lines
from harness.campaign.setup import Agenda, Selection, create, reopen, say_unheeded, session, unpin
from harness.target.external import owning
from harness.target.processes import family
from harness.trial.measurement import Limits
from results.errors import BlockpointError, unknown
from results.schema import Plan
from results.store import Campaign
from targets.work import KINDS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Selection):
    """What `run` was asked for."""

    rates_per_s: tuple[float, ...]
    repeats: int | None


def run_command(request: Request) -> int:
    """Run a new campaign or go on with an old one; returns the exit code.

    Raises BlockpointError for whatever the user can put right.
    """
    console = Console(highlight=False)
    say = functools.partial(console.print, soft_wrap=True, markup=False)
    with family() as members, owning("" if request.dry_run else request.redis_url):
        if request.resume:
            campaign = reopen(request.resume, members)
            if any(plan.drill for plan in campaign.manifest.plans):
                raise BlockpointError(
                    f"{campaign.folder} is made of drills: continue it with `blockpoint drill`"
                )
            profile = _changed(named_profile(campaign.manifest.profile), attempts=request.attempts)
            plans = [plan for plan, _ in missing(campaign, profile.attempts)]
        else:
            profile = asked_profile(request)
            plans = _plans(request, profile)
            for line in longer(plans, request.seconds):
                say(line)
        say_unheeded(request, plans)
        if request.dry_run:
            _show_plan(console, plans, request, profile)
            return 0
        if not request.resume:
            campaign = create(request, Agenda(profile=profile.name, plans=plans), members)
        limits = Limits(profile.drain_s, request.max_foreign_cores, request.quiet_wait)
        trials = session(
            request,
            campaign,
            members,
            limits,
            attempts=profile.attempts,
            retry_until_s=profile.retry_until_s,
        )
        say(f"campaign {campaign.folder}: {len(plans)} trials, about {minutes(_total_s(plans))}")
        with Progress(console, _total_s(plans), len(plans)) as progress:
            run_campaign(trials, campaign, progress)
    unpin()
    return _conclude(campaign, request.report, say)


def named_profile(name: str) -> Profile:
    """Return a profile; raises BlockpointError for an unknown name."""
    if name not in PROFILES:
        raise unknown("profile", name, PROFILES)
    return PROFILES[name]


def asked_profile(request: Request) -> Profile:
    """Return the profile with whatever was asked for; raises BlockpointError for an unknown name."""
    profile = named_profile(request.profile)
    asked_s = request.seconds or 0.0
    return _changed(
        profile,
        attempts=request.attempts,
        kinds=request.kinds,
        durations_ms=request.durations_ms,
        repeats=request.repeats,
        topologies=request.topologies,
        cpu_topologies=request.topologies,
        seconds=request.seconds,
        max_seconds=request.seconds,
        burst_s=request.seconds,
        sweep_step_s=asked_s / max(len(profile.sweep_durations_ms), 1),
    )


def _changed(profile: Profile, **changes: Any) -> Profile:
    """Return the profile with whatever was asked for; asking for attempts lifts the limit on their time."""
    asked = {name: value for name, value in changes.items() if value}
    if "attempts" in asked:
        asked["retry_until_s"] = float("inf")
    return dataclasses.replace(profile, **asked)


def _plans(request: Request, profile: Profile) -> list[Plan]:
    base = request.settings
    keys = select(profile.subjects, request.strategies, request.variants)

    def ceiling(key: str, kind: str, duration_ms: float, topology: str) -> float | None:
        return predicted_per_s(key, base, kind, duration_ms, topology, placement=request.placement)

    topologies = dict.fromkeys([*profile.topologies, *(profile.cpu_topologies if _computes(profile) else ())])
    plans = Planner(profile, ceiling, request.seed, request.rates_per_s).plan(keys, list(topologies))
    if not plans:
        raise BlockpointError("nothing to measure: no trial of this profile fits what was asked for")
    return plans


def longer(plans: list[Plan], asked_s: float | None) -> Iterator[str]:
    """Yield what to say of trials that have to last longer than was asked for."""
    longer = {plan.duration_ms: plan.seconds for plan in plans if asked_s and plan.seconds > asked_s * 1.001}
    for duration_ms, seconds in sorted(longer.items()):
        yield (
            f"--seconds {asked_s:g}: trials of tasks of {duration_ms:g} ms last {seconds:g} s, "
            f"since a trial lasts {SERVICES_LONG} services at the least"
        )


def _computes(profile: Profile) -> bool:
    return any(KINDS[kind].calibrated for kind in profile.kinds)


def _total_s(plans: list[Plan]) -> float:
    return sum(expected_s(plan) for plan in plans)


def _show_plan(console: Console, plans: list[Plan], request: Request, profile: Profile) -> None:
    base = request.settings
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
    for line in unmeasured_lines(campaign):
        say(line)
    if not counts.valid + counts.invalid:
        raise BlockpointError(f"{campaign.folder}: no trial could be measured")
    if report:
        from analysis.report.build import make_report

        say(f"report: {make_report(campaign.folder, say)}")
    return 1 if counts.failed or not counts.valid else 0
