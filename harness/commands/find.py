"""The command `find`: searches the blocking point and the saturation point of every subject asked for."""

import dataclasses
import functools
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.campaign.predictions import select, subject_on
from harness.campaign.progress import Progress, minutes
from harness.campaign.setup import Agenda, Selection, create, reopen, say_unheeded, session, unpin
from harness.search.profiles import SEARCHES, SearchProfile, points, search_seconds
from harness.target.external import owning
from harness.target.processes import family
from harness.trial.measurement import Limits
from results.errors import BlockpointError, unknown
from results.failures import read_failures
from results.schema import Point
from results.store import Campaign
from results.text import visible

WIDTH = 120
"""columns that the closing table needs; a narrower terminal wraps its lines"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Selection):
    """What `find` was asked for."""

    limit_ms: float | None
    precision: float | None
    highest_per_s: float | None
    max_trials: int | None
    budget_s: float | None
    predict: bool


def find_command(request: Request) -> int:
    """Search, or go on with a search; returns the exit code.

    Raises BlockpointError for whatever the user can put right.
    """
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    say = functools.partial(console.print, soft_wrap=True, markup=False)
    with family() as members, owning("" if request.dry_run else request.redis_url):
        if request.resume:
            campaign = reopen(request.resume, members)
            profile = searched(request, campaign.manifest.profile)
            wanted = campaign.manifest.points
            if not wanted:
                raise BlockpointError(f"{campaign.folder} is no search: continue it with `blockpoint run`")
        else:
            profile = searched(request, request.profile)
            keys = select(profile.subjects, request.strategies, request.variants)
            wanted = points(profile, keys, request.settings, request.placement)
        say_unheeded(request, wanted)
        if request.dry_run:
            _show_points(console, wanted, request, profile.limit_ms)
            return 0
        if not request.resume:
            agenda = Agenda(
                profile=profile.name, points=wanted, limit_ms=profile.limit_ms, precision=profile.precision
            )
            campaign = create(request, agenda, members)
        limits = Limits(
            profile.drain_s, request.max_foreign_cores, request.quiet_wait, campaign.manifest.limit_ms
        )
        trials = session(request, campaign, members, limits, attempts=profile.attempts)
        within = "" if profile.budget_s == float("inf") else f", within {minutes(profile.budget_s)}"
        longest_s = max(search_seconds(point, point.lowest_per_s) for point in wanted)
        say(f"campaign {campaign.folder}: {len(wanted)} points, trials of up to {minutes(longest_s)}{within}")
        with Progress(console, profile.budget_s, 0) as progress:
            from harness.search.runner import Hunt

            Hunt(trials, campaign, profile, progress).run()
    unpin()
    return _conclude(campaign, request.report, console)


def named_search(name: str) -> SearchProfile:
    """Return a profile of searches; raises BlockpointError for an unknown name."""
    if name not in SEARCHES:
        raise unknown("profile", name, SEARCHES)
    return SEARCHES[name]


def searched(request: Request, name: str) -> SearchProfile:
    """Return a profile with whatever was asked for; raises BlockpointError for an unknown name."""
    asked = {
        "kinds": request.kinds,
        "durations_ms": request.durations_ms,
        "topologies": request.topologies,
        "cpu_topologies": request.topologies,
        "limit_ms": request.limit_ms,
        "precision": request.precision,
        "highest_per_s": request.highest_per_s,
        "seconds": request.seconds,
        "max_trials": request.max_trials,
        "attempts": request.attempts,
        "budget_s": request.budget_s,
    }
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value}
    profile = dataclasses.replace(named_search(name), predict=request.predict, **changes)
    return dataclasses.replace(profile, max_seconds=max(profile.seconds, profile.max_seconds))


def _show_points(console: Console, wanted: list[Point], request: Request, limit_ms: float) -> None:
    from analysis.format import milliseconds, number
    from analysis.queueing.expected import expected_blocking, expected_saturation
    from analysis.trials.point_table import predicted

    columns = ("point", "blocks in theory", "falls behind in theory", "searched", "trials up to")
    table = Table(*columns, box=None, pad_edge=False)
    for point in wanted:
        pinning = request.placement.pinning(point.topology)
        subject, _ = subject_on(point.subject, request.settings, pinning)
        table.add_row(
            f"{point.subject} {point.kind} {milliseconds(point.duration_ms)}",
            predicted(expected_blocking(point, subject, limit_ms)),
            predicted(expected_saturation(point, subject)),
            f"{number(point.lowest_per_s)} to {number(point.highest_per_s)}/s",
            minutes(search_seconds(point, point.lowest_per_s)),
        )
    console.print(table)
    console.print(f"{len(wanted)} points")


def _conclude(campaign: Campaign, report: bool, console: Console) -> int:
    """Show what was found and what was not measured; returns 1 where a point failed at all its trials."""
    from analysis.trials.derive import derive
    from analysis.trials.points import without_trials

    trials, failures = campaign.trials(), read_failures(campaign.folder)
    found = derive(campaign.folder).points if trials else without_trials(campaign.manifest, failures)
    _show_answers(console, found)
    if not trials:
        raise BlockpointError(f"{campaign.folder}: no trial could be measured")
    if report:
        from analysis.report.build import make_report

        say = functools.partial(console.print, soft_wrap=True, markup=False)
        say(f"report: {make_report(campaign.folder, say)}")
    measured, failed = [trial.plan for trial in trials], [failure.plan for failure in failures]
    missing = [point for point in campaign.manifest.points if not any(map(point.covers, measured))]
    broken = any(any(map(point.covers, failed)) for point in missing)
    return 0 if any(trial.valid for trial in trials) and not broken else 1


def _show_answers(console: Console, points: Any) -> None:
    from analysis.trials.point_table import answers

    table = Table("strategy", "tasks", "question", "interval", "remarks", box=None, pad_edge=False)
    for a in answers(points):
        by = f"{a.by} crossed the limit" if a.by else ""
        blocks = "; ".join(filter(None, (by, a.blocks.notes)))
        subject = f"{a.strategy}/{a.variant}"
        table.add_row(subject, a.condition, "API blocks", a.blocks.interval, Text(visible(blocks)))
        table.add_row("", "", "work falls behind", a.behind.interval, Text(visible(a.behind.notes)))
    console.print(table)
