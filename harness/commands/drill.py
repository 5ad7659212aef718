"""The command `drill`: breaks what can break, and counts what became of every task."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.campaign.predictions import select
from harness.campaign.profiles import EVERY_VARIANT
from harness.campaign.progress import Progress, minutes
from harness.campaign.runner import expected_s, missing, run_campaign, tally
from harness.campaign.setup import Agenda, Conditions, create, reopen, say_unheeded, session, unpin
from harness.drills.catalogue import DRILLS, named_drill
from harness.drills.interviews import hold_interviews
from harness.drills.plans import plans
from harness.target.external import owning
from harness.target.placement import NOWHERE
from harness.target.processes import family
from harness.trial.measurement import Limits
from results.errors import BlockpointError
from results.schema import Plan
from results.store import Campaign
from results.terms import Fate

PROFILE = "drill"
ATTEMPTS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Conditions):
    """What `drill` was asked for."""

    names: tuple[str, ...]
    strategies: tuple[str, ...]
    variants: tuple[str, ...]
    repeats: int
    spread: bool
    """a strategy's variants share the repeats"""
    lanes: int
    interviews: bool
    attempts: int | None
    dry_run: bool
    report: bool


def drill_command(request: Request) -> int:
    """Run new drills or go on with old ones; returns the exit code, 1 where a task is unaccounted for.

    Raises BlockpointError for whatever the user can put right.
    """
    console = Console(highlight=False)
    say = functools.partial(console.print, soft_wrap=True, markup=False)
    if request.lanes > 1:
        request = dataclasses.replace(request, placement=NOWHERE)
    attempts = request.attempts or ATTEMPTS
    _refuse_sharing(request.redis_url, request.lanes)
    with family() as members, owning("" if request.dry_run else request.redis_url):
        if request.resume:
            campaign = reopen(request.resume, members)
            planned = [plan for plan, _ in missing(campaign, attempts)]
            if not all(plan.drill for plan in campaign.manifest.plans):
                raise BlockpointError(f"{campaign.folder} has no drills: continue it with `blockpoint run`")
        else:
            planned = _plans(request)
        say_unheeded(request, planned)
        if request.dry_run:
            _show(console, planned, request.lanes)
            return 0
        if not request.resume:
            campaign = create(request, Agenda(profile=PROFILE, plans=planned, lanes=request.lanes), members)
        lanes = campaign.manifest.lanes
        _refuse_sharing(request.redis_url, lanes)
        limits = Limits(foreign_cores=request.max_foreign_cores)
        trials = session(request, campaign, members, limits, attempts=attempts)
        total_s = sum(expected_s(plan) for plan in planned)
        say(f"campaign {campaign.folder}: {len(planned)} drills, about {minutes(total_s / lanes)}")
        with Progress(console, total_s, len(planned)) as progress:
            run_campaign(trials, campaign, progress)
            if request.interviews:
                hold_interviews(trials, campaign, progress)
    unpin()
    return _conclude(campaign, request.report, say)


def _refuse_sharing(redis_url: str, lanes: int) -> None:
    if redis_url and lanes > 1:
        raise BlockpointError(f"{lanes} lanes would share one database: leave --redis-url or --lanes away")


def _plans(request: Request) -> list[Plan]:
    drills = [named_drill(name) for name in dict.fromkeys(request.names)] or list(DRILLS.values())
    keys = select([EVERY_VARIANT], request.strategies, request.variants)
    if request.redis_url:
        drills = [drill for drill in drills if not drill.breaks_broker]
    planned = plans(
        drills,
        keys,
        request.settings,
        request.placement.pinning("one-box"),
        repeats=request.repeats,
        spread=request.spread,
        seed=request.seed,
        lanes=request.lanes,
    )
    if not planned:
        raise BlockpointError(
            f"nothing to do: {', '.join(drill.name for drill in drills) or 'no drill that was asked for'} "
            "concerns none of these strategies; `blockpoint list` says whom each drill concerns"
        )
    return planned


def _show(console: Console, planned: list[Plan], lanes: int) -> None:
    cells: dict[tuple[str, str], int] = {}
    for plan in planned:
        cells[plan.drill, plan.subject] = cells.get((plan.drill, plan.subject), 0) + 1
    table = Table("drill", "strategy", "repeats", "what is done", box=None, pad_edge=False)
    for (drill, subject), repeats in sorted(cells.items()):
        table.add_row(drill, subject, str(repeats), named_drill(drill).summary)
    console.print(table)
    total_s = sum(expected_s(plan) for plan in planned) / lanes
    console.print(f"{len(planned)} drills, about {minutes(total_s)} in all")


def _conclude(campaign: Campaign, report: bool, say: Callable[[Any], None]) -> int:
    counts = tally(campaign)
    if not counts.valid + counts.invalid:
        raise BlockpointError(f"{campaign.folder}: no drill could be carried out")
    if counts.failed:
        say(f"{counts.failed} drills could not be carried out: continue with --resume {campaign.folder.name}")
    if counts.invalid:
        say(f"{counts.invalid} drills do not count, for the reasons given with each; they are kept")
    trials = campaign.trials()
    strays = [trial for trial in trials if trial.incident and trial.incident.fates[Fate.UNACCOUNTED.label]]
    for trial in strays:
        say(f"{trial.plan.trial_id}: NOT ALL ACCOUNTED FOR: {'; '.join(trial.reasons)}")
    if not strays:
        accepted = sum(trial.accounts.accepted for trial in trials)
        say(f"{accepted} accepted tasks in {len(trials)} drills, every one accounted for")
    if report:
        from analysis.report.build import make_report

        say(f"report: {make_report(campaign.folder, say)}")
    return 1 if strays or counts.failed or counts.invalid else 0
