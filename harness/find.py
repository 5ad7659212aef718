"""The command `find`: searches the blocking point and the saturation point of every subject asked for."""

import dataclasses
import functools
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.expectation import select
from harness.opening import Agenda, Selection, create, reopen, session, unpin
from harness.processes import family
from harness.progress import Progress, minutes
from harness.searches import SEARCHES, SearchProfile, points
from harness.trial import Limits
from results.errors import BlockpointError, unknown
from results.schema import Point
from results.store import Campaign
from targets.settings import Settings

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
    with family() as members:
        if request.resume:
            campaign = reopen(request.resume, members)
            profile = _profile(request, campaign.manifest.profile)
            wanted = campaign.manifest.points
            if not wanted:
                raise BlockpointError(f"{campaign.folder} is no search: continue it with `blockpoint run`")
        else:
            profile = _profile(request, request.profile)
            keys = select(profile.subjects, request.strategies, request.variants)
            wanted = points(profile, keys, Settings(slots=request.slots), request.placement)
        if request.dry_run:
            _show_points(console, wanted)
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
        say(f"campaign {campaign.folder}: {len(wanted)} points{within}")
        with Progress(console, profile.budget_s, 0) as progress:
            from harness.hunt import Hunt

            Hunt(trials, campaign, profile, progress).run()
    unpin()
    return _conclude(campaign, request.report, console)


def named_search(name: str) -> SearchProfile:
    """Return a profile of searches; raises BlockpointError for an unknown name."""
    if name not in SEARCHES:
        raise unknown("profile", name, SEARCHES)
    return SEARCHES[name]


def _profile(request: Request, name: str) -> SearchProfile:
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
    return dataclasses.replace(named_search(name), predict=request.predict, **changes)


def _show_points(console: Console, wanted: list[Point]) -> None:
    from analysis.charts.scales import number

    table = Table("point", "blocks in theory", "falls behind in theory", "searched", box=None, pad_edge=False)
    for point in wanted:
        expected = [
            "none" if rate is None else f"{number(rate)}/s"
            for rate in (point.blocking_per_s, point.saturation_per_s)
        ]
        searched = f"{number(point.lowest_per_s)} to {number(point.highest_per_s)}/s"
        table.add_row(f"{point.subject} {point.kind} {point.duration_ms:g} ms", *expected, searched)
    console.print(table)
    console.print(f"{len(wanted)} points")


def _conclude(campaign: Campaign, report: bool, console: Console) -> int:
    from analysis.answers import answers
    from analysis.derive import derive

    if not campaign.trials():
        raise BlockpointError(f"{campaign.folder}: no trial could be measured")
    table = Table("strategy", "tasks", "question", "interval", "remarks", box=None, pad_edge=False)
    for a in answers(derive(campaign.folder).points):
        by = f"{a.by} crossed the limit" if a.by else ""
        blocks = "; ".join(filter(None, (by, a.blocks.notes)))
        table.add_row(f"{a.strategy}/{a.variant}", a.condition, "API blocks", a.blocks.interval, blocks)
        table.add_row("", "", "work falls behind", a.behind.interval, a.behind.notes)
    console.print(table)
    if report:
        from analysis.report import make_report

        say = functools.partial(console.print, soft_wrap=True, markup=False)
        say(f"report: {make_report(campaign.folder, say)}")
    return 0 if any(trial.valid for trial in campaign.trials()) else 1
