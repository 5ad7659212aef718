"""The command `find`: searches the points of every subject asked for, one for each question."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Selection
from harness.campaign.predictions import in_versions, select, subject_on, usable
from harness.campaign.progress import Progress, minutes
from harness.campaign.session import Procedure, Setup
from harness.commands.point_documents import point_documents, questions_of
from harness.commands.skeleton import Command, Conclusion
from harness.search.profiles import SEARCHES, SearchProfile, points, search_seconds
from harness.terminal.exits import DONE, UNANSWERED
from harness.trial.measurement import Limits
from results.errors import BlockpointError, lookup
from results.failures import read_failures
from results.schema import Manifest, Plan, Point
from results.store import Campaign

WIDTH = 120
"""columns that the table of points needs; a narrower terminal wraps its lines"""
_ABOUT = ("subject", "kind", "duration_ms", "topology")
"""what a point's trials have in common with it"""


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

    name = "find"
    again = "blockpoint find"
    """how the command is begun to go on with a search"""
    profile: SearchProfile

    def agenda(self) -> Agenda:
        """Return the points to be searched."""
        request, profile = self.request, self._take(self.request.profile)
        keys, left_out = usable(
            in_versions(select(profile.subjects, request.strategies, request.variants), request.pins),
            request.task,
        )
        wanted = points(profile, keys, request.settings, request.placement, request.traffic)
        return Agenda(
            profile=profile.name,
            points=wanted,
            limit_ms=profile.limit_ms,
            precision=profile.precision,
            left_out=left_out,
        )

    def left(self, campaign: Campaign) -> list[Point]:
        """Return all points: the search knows where it stood."""
        self._take(campaign.manifest.profile)
        if not campaign.manifest.points:
            raise BlockpointError(f"{campaign.folder} is no search: continue it with `blockpoint run`")
        self.refuse_services(campaign)
        return campaign.manifest.points

    def refuse_services(self, campaign: Campaign) -> None:
        """Raise BlockpointError where a service was searched, which its file has to name."""
        if any(subject.asked for subject in campaign.manifest.subjects):
            raise BlockpointError(f"{campaign.folder} is of a service: go on with it by `find -f FILE` too")

    def _take(self, name: str) -> SearchProfile:
        self.profile = searched(self.request, name)
        self.attempts = self.profile.attempts
        return self.profile

    def show(self, work: Sequence[Point]) -> None:
        """Print the points with what theory expects of them."""
        self.console.width = max(self.console.width, WIDTH)
        _show_points(self.console, work, self.request, self.profile)

    def procedure(self, campaign: Campaign) -> Procedure:
        """Return a measurement that ends early where more of it would teach nothing."""
        profile, request = self.profile, self.request
        limit_ms = campaign.manifest.limit_ms
        return request.host.measuring(
            Limits(profile.drain_s, request.max_foreign_cores, request.quiet_wait, limit_ms)
        )

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

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Show what was found and what was not; its code is 0 where every point asked for was answered."""
        measured = any(campaign.trials())
        found = _points_of(campaign, measured=measured)
        page = None
        try:
            page = self.make_report(campaign) if measured else None
        finally:
            show_reach(self.console, found)
        told = _document(campaign.manifest, point_documents(found))
        if told["unanswered"]:
            self.say(_unanswered(campaign, told["points"], self.again + self.request.host.option))
        if page:
            self.say(f"report: {page}")
        return Conclusion(UNANSWERED if told["unanswered"] else DONE, told, page)


def _points_of(campaign: Campaign, *, measured: bool) -> Any:
    from analysis.trials.derive import derive
    from analysis.trials.points import without_trials

    if measured:
        return derive(campaign.folder).points
    return without_trials(campaign.manifest, read_failures(campaign.folder))


def show_reach(console: Console, points: Any) -> None:
    """Print the table that ends a search, as wide as the terminal where that is narrow."""
    from analysis.trials import reach_table

    width = min(console.width, reach_table.WIDTH) if console.is_terminal else reach_table.WIDTH
    for line in reach_table.reach_lines(points, width):
        console.print(Text(line), soft_wrap=True)


def _document(manifest: Manifest, found: list[dict[str, Any]]) -> dict[str, Any]:
    answered = [each["answered"] for each in questions_of(found)]
    return {
        "limit_ms": manifest.limit_ms,
        "precision": manifest.precision,
        "answered": sum(answered),
        "unanswered": len(answered) - sum(answered),
        "points": found,
    }


def _unanswered(campaign: Campaign, found: list[dict[str, Any]], again: str) -> str:
    """Say how many answers lack, and how to go on: with more trials a point where all were made."""
    answered = [each["answered"] for each in questions_of(found)]
    profile = SEARCHES.get(campaign.manifest.profile)
    lacking = [point for point in found if not all(each["answered"] for each in questions_of([point]))]
    counted = Counter(_about(trial.plan) for trial in campaign.trials() if trial.valid)
    made = profile and all(counted[tuple(map(point.get, _ABOUT))] >= profile.max_trials for point in lacking)
    more = f" --max-trials {2 * profile.max_trials}" if profile and made else ""
    return (
        f"{answered.count(False)} of {len(answered)} answers are unfinished or missing; go on with: "
        f"{again} --resume {campaign.folder.name}{more}"
    )


def _about(plan: Plan) -> tuple[object, ...]:
    return tuple(getattr(plan, name) for name in _ABOUT)


def searched(request: FindRequest, name: str) -> SearchProfile:
    """Return a profile with whatever was asked for; raises BlockpointError for an unknown name."""
    asked = {
        "kinds": request.kinds,
        "durations_ms": request.durations_ms,
        "computing_durations_ms": request.durations_ms,
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
    profile = dataclasses.replace(lookup("profile", name, SEARCHES), predict=request.predict, **changes)
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
