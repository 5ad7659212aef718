"""The command `find -f FILE`: searches the points of a service as it is, where it is."""

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from analysis.format import listed
from analysis.trials.culprit import Culprit, culprit_of
from analysis.trials.questions import BLOCKING
from harness.campaign.agenda import Agenda
from harness.campaign.progress import Progress, minutes
from harness.campaign.session import Setup
from harness.commands.find import FindCommand, FindRequest
from harness.commands.own_service import SEEN, label, refuse_foreign, service_lines, with_service
from harness.commands.skeleton import Conclusion
from harness.search.profiles import FEWEST_ARRIVALS, SEARCHES, SearchProfile, too_low
from harness.service.file import read_service
from harness.service.measurement import ServiceMeasuring
from harness.service.service import Service
from harness.service.target import subject_of
from harness.trial.measurement import Limits
from loadtests.openloop.service_address import check_owned
from results.errors import BlockpointError
from results.schema import Point
from results.service import VARIANT
from results.store import Campaign
from results.terms import REQUEST

HIGHEST_PER_S: Final = 500.0
"""tried unless another rate is asked for"""
TRIALS: Final = SEARCHES["standard"].max_trials
"""that its one point may have where edges are confirmed: a short profile shares its time among many"""
FAR: Final = "; told at a rate far above the one that held, where others may have been taken along"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceRequest(FindRequest):
    """What `find -f` was asked for."""

    file: Path
    owned: tuple[str, ...]
    """hosts that the user may load, other than this one"""
    most_requests: int


class ServiceCommand(FindCommand):
    """Searches where a service blocks, and where its work falls behind if that can be seen."""

    request: ServiceRequest

    def __init__(self, request: ServiceRequest) -> None:
        super().__init__(request)
        self.again = f"blockpoint find -f {shlex.quote(str(request.file))}"

    @cached_property
    def service(self) -> Service:
        """The service, checked; raises BlockpointError where it must not be loaded."""
        refuse_foreign()
        service = read_service(self.request.file)
        if not service.started:
            check_owned(service.declared.url, self.request.owned)
        return service

    def agenda(self) -> Agenda:
        """Return the one point to be searched."""
        service, profile, traffic = self.service, self._take(self.request.profile), self.request.traffic
        point = Point(
            subject=f"{service.name}/{VARIANT}",
            kind=REQUEST.name,
            duration_ms=0.0,
            lowest_per_s=FEWEST_ARRIVALS / profile.max_seconds,
            highest_per_s=profile.highest_per_s,
            seconds=profile.seconds,
            max_seconds=profile.max_seconds,
            bystander_per_s=service.declared.bystander_rate or profile.bystander_per_s,
            options=traffic.options,
        )
        if point.highest_per_s < point.lowest_per_s:
            raise BlockpointError(too_low(point))
        self._announce([point])
        return Agenda(
            profile=profile.name,
            points=[point],
            limit_ms=profile.limit_ms,
            precision=profile.precision,
            subjects=[subject_of(service)],
        )

    def left(self, campaign: Campaign) -> list[Point]:
        """Return the point; raises BlockpointError where the campaign is of another service."""
        points = super().left(campaign)
        if campaign.manifest.subjects != [subject_of(self.service)]:
            raise BlockpointError(
                f"{campaign.folder} is not of the service that {self.request.file} declares"
            )
        self._announce(points)
        return points

    def _take(self, name: str) -> SearchProfile:
        profile = super()._take(name)
        asked, trials = self.request.highest_per_s, profile.max_trials
        if profile.confirm_s and not self.request.max_trials:
            trials = max(trials, TRIALS)
        self.profile = dataclasses.replace(
            profile,
            highest_per_s=asked or min(profile.highest_per_s, HIGHEST_PER_S),
            max_trials=trials,
            curves=False,
            predict=False,
            most_requests=self.request.most_requests,
        )
        return self.profile

    def refuse_services(self, campaign: Campaign) -> None:
        """Refuse none: they are what is searched."""

    def _announce(self, work: Sequence[Point]) -> None:
        """Print what is about to be done to the service, before anything is."""
        for line in plan_lines(self.service, work[0], self.profile):
            self.say(line)

    def show(self, work: Sequence[Point]) -> None:
        """Print no more than was announced."""

    def procedure(self, campaign: Campaign) -> ServiceMeasuring:
        """Return a measurement of the service."""
        request, profile = self.request, self.profile
        limit_ms = campaign.manifest.limit_ms
        return ServiceMeasuring(
            Limits(profile.drain_s, request.max_foreign_cores, request.quiet_wait, limit_ms)
        )

    def carry_out(self, setup: Setup, campaign: Campaign, progress: Progress) -> None:
        """Search with the service in the place of a strategy."""
        super().carry_out(with_service(setup, self.service), campaign, progress)

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Show what was found, and what the streams' names stand for."""
        conclusion = super().conclude(campaign)
        subject = campaign.manifest.subjects[0]
        for column, words in subject.asked.items():
            self.say(f"{label(column)}: {words}")
        for line in refused_lines(campaign):
            self.say(line)
        answer = _blocking(conclusion.found["points"])
        culprit = culprit_of(answer.get("blocked_by", ()), answer.get("core_bound") or "", subject)
        for line in culprit_lines(culprit, near=answer.get("answered", False)):
            self.say(line)
        if subject.completions == "none":
            self.say(f"completions: {SEEN['none']}; name a source in [completions]")
        if culprit.slow:
            self.say(f"at your own rate: blockpoint plan --rate RATE {campaign.manifest.campaign}")
        told = {
            "completions": subject.completions,
            "requests": subject.asked,
            "blocked": list(culprit.slow),
            "fast_meanwhile": list(culprit.fast),
            "culprit": culprit.words or None,
        }
        return dataclasses.replace(conclusion, found={**conclusion.found, "service": told})


def plan_lines(service: Service, point: Point, profile: SearchProfile) -> Iterator[str]:
    """Yield what will be done to a service, in lines."""
    yield from service_lines(service)
    longest_s = max(point.max_seconds, profile.terms.longest_schedule_s)
    yield (
        f"  at most      {point.highest_per_s:g} tasks/s, {point.bystander_per_s:g}/s to each bystander, "
        f"{profile.most_requests:,.0f} requests in all, {minutes(longest_s)} a trial"
    )


def refused_lines(campaign: Campaign) -> Iterator[str]:
    """Yield why the last trial did not count, where none did."""
    trials = campaign.trials()
    if trials and not any(trial.valid for trial in trials):
        yield f"no trial counted, the last one because: {'; '.join(trials[-1].reasons)}"


def _blocking(points: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the answer to the question where it blocks, of the one point that there is."""
    found: Mapping[str, Any] = points[0]["questions"].get(BLOCKING, {}) if points else {}
    return found


def culprit_lines(culprit: Culprit, *, near: bool) -> Iterator[str]:
    """Yield which requests were slow at the lowest rate that failed, which were not, and what that says.

    Unless that rate is `near` the blocking point, what blocks first may have taken all others along.
    """
    if culprit.slow:
        fast = f"; fast meanwhile: {listed(culprit.fast)}" if culprit.fast else ""
        yield f"blocked: {listed(culprit.slow)}{fast}"
        yield f"culprit: {culprit.words}{'' if near else FAR}"
