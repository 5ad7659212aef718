"""The command `find`: searches the points of every subject asked for, one for each question."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.campaign.predictions import select, subject_on
from harness.campaign.progress import Progress, minutes
from harness.campaign.session import Setup
from harness.campaign.setup import Agenda, Selection
from harness.commands.skeleton import Command
from harness.search.profiles import SEARCHES, SearchProfile, points, search_seconds
from harness.trial.measurement import Limits, Measuring
from results.errors import BlockpointError, unknown
from results.failures import read_failures
from results.schema import Point
from results.store import Campaign
from results.text import visible

WIDTH = 120
"""columns that the closing table needs; a narrower terminal wraps its lines"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FindRequest(Selection):
    """What `find` was asked for."""

    limit_ms: float | None
    precision: float | None
    highest_per_s: float | None
    max_trials: int | None
    budget_s: float | None
    predict: bool


class FindCommand(Command[FindRequest, Point]):
    """Searches all points of every subject asked for."""

    profile: SearchProfile

    def __init__(self, request: FindRequest) -> None:
        super().__init__(request)
        self.console.width = max(self.console.width, WIDTH)

    def agenda(self) -> Agenda:
        """Return the points to be searched."""
        request, profile = self.request, self._take(self.request.profile)
        keys = select(profile.subjects, request.strategies, request.variants)
        wanted = points(profile, keys, request.settings, request.placement, request.traffic)
        return Agenda(
            profile=profile.name, points=wanted, limit_ms=profile.limit_ms, precision=profile.precision
        )

    def left(self, campaign: Campaign) -> list[Point]:
        """Return all points: the search knows where it stood."""
        self._take(campaign.manifest.profile)
        if not campaign.manifest.points:
            raise BlockpointError(f"{campaign.folder} is no search: continue it with `blockpoint run`")
        return campaign.manifest.points

    def _take(self, name: str) -> SearchProfile:
        self.profile = searched(self.request, name)
        self.attempts = self.profile.attempts
        return self.profile

    def show(self, work: Sequence[Point]) -> None:
        """Print the points with what theory expects of them."""
        _show_points(self.console, work, self.request, self.profile)

    def procedure(self, campaign: Campaign) -> Measuring:
        """Return a measurement that ends early where more of it would teach nothing."""
        profile, request = self.profile, self.request
        limit_ms = campaign.manifest.limit_ms
        return Measuring(Limits(profile.drain_s, request.max_foreign_cores, request.quiet_wait, limit_ms))

    def outlook(self, work: Sequence[Point]) -> tuple[str, float, int]:
        """Return the number of points and the budget."""
        budget_s = self.profile.budget_s
        within = "" if budget_s == float("inf") else f", within {minutes(budget_s)}"
        longest_s = max(_longest_s(point, self.profile) for point in work)
        return f"{len(work)} points, trials of up to {minutes(longest_s)}{within}", budget_s, 0

    def carry_out(self, setup: Setup, campaign: Campaign, progress: Progress) -> None:
        """Search until all is found, or the time is up."""
        from harness.search.runner import SearchRunner

        SearchRunner(setup, campaign, self.profile, progress).run()

    def conclude(self, campaign: Campaign) -> int:
        """Show what was found and what was not measured; returns 1 where a point failed at all its trials."""
        from analysis.trials.derive import derive
        from analysis.trials.points import without_trials

        trials, failures = campaign.trials(), read_failures(campaign.folder)
        found = derive(campaign.folder).points if trials else without_trials(campaign.manifest, failures)
        _show_answers(self.console, found)
        if not trials:
            raise BlockpointError(f"{campaign.folder}: no trial could be measured")
        self.report(campaign)
        measured, failed = [trial.plan for trial in trials], [failure.plan for failure in failures]
        missing = [point for point in campaign.manifest.points if not any(map(point.covers, measured))]
        broken = any(any(map(point.covers, failed)) for point in missing)
        return 0 if any(trial.valid for trial in trials) and not broken else 1


def named_search(name: str) -> SearchProfile:
    """Return a profile of searches; raises BlockpointError for an unknown name."""
    if name not in SEARCHES:
        raise unknown("profile", name, SEARCHES)
    return SEARCHES[name]


def searched(request: FindRequest, name: str) -> SearchProfile:
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


def _longest_s(point: Point, profile: SearchProfile) -> float:
    """Return how long a trial of a point may be, one that confirms an edge included."""
    return max(search_seconds(point, point.lowest_per_s), profile.terms.longest_schedule_s)


def _show_points(
    console: Console, wanted: Sequence[Point], request: FindRequest, profile: SearchProfile
) -> None:
    from analysis.format import milliseconds, number
    from analysis.trials.point_table import predicted
    from analysis.trials.questions import QUESTIONS

    theory = (f"{question.gives_way} in theory" for question in QUESTIONS.values())
    table = Table("point", *theory, "searched", "trials up to", box=None, pad_edge=False)
    for point in wanted:
        pinning = request.placement.pinning(point.topology)
        subject, _ = subject_on(point.subject, request.settings, pinning)
        table.add_row(
            f"{point.subject} {point.kind} {milliseconds(point.duration_ms)}",
            *(
                predicted(question.expected(point, subject, profile.limit_ms))
                for question in QUESTIONS.values()
            ),
            f"{number(point.lowest_per_s)} to {number(point.highest_per_s)}/s",
            minutes(_longest_s(point, profile)),
        )
    console.print(table)
    console.print(f"{len(wanted)} points")


def _show_answers(console: Console, points: Any) -> None:
    from analysis.trials.burst_words import note_on_bursts
    from analysis.trials.point_table import answers, moves
    from analysis.trials.questions import QUESTIONS

    found_all = answers(points)
    table = Table("strategy", "tasks", "question", "interval", "remarks", box=None, pad_edge=False)
    for a in found_all:
        about = (f"{a.strategy}/{a.variant}", a.condition)
        for name, found in a.found.items():
            by = f"{found.by} crossed the limit" if found.by else ""
            remarks = "; ".join(filter(None, (by, found.notes)))
            table.add_row(*about, QUESTIONS[name].label, found.interval, Text(visible(remarks)))
            about = ("", "")
    console.print(table)
    for line in filter(None, (moves(found_all), note_on_bursts(points))):
        console.print(Text(line), soft_wrap=True)
