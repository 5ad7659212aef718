"""The command `drill -f FILE`: breaks a service that we start, and counts the tasks that never end."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from harness.campaign.agenda import Agenda
from harness.campaign.progress import Progress
from harness.campaign.session import Setup
from harness.commands.drill import PROFILE, DrillCommand, DrillRequest
from harness.commands.own_service import refuse_foreign, service_lines, with_service
from harness.commands.skeleton import Conclusion
from harness.drills.catalogue import Drill
from harness.drills.of_service import ServiceDrillProcedure, drills_of
from harness.drills.plans import planned_for_service
from harness.service.file import read_service
from harness.service.service import Service
from harness.service.target import subject_of
from results.errors import BlockpointError
from results.schema import Plan, Subject, Trial
from results.service import VARIANT
from results.store import Campaign
from results.terms import Fate

WIDTH = 100
"""columns that the closing table needs; a narrower terminal wraps its lines"""
NOT_SEEN = "\N{EN DASH}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceDrillRequest(DrillRequest):
    """What `drill -f` was asked for."""

    file: Path


class ServiceDrillCommand(DrillCommand):
    """Runs a service's drills."""

    request: ServiceDrillRequest

    @cached_property
    def service(self) -> Service:
        """The service, checked; raises BlockpointError where several of it cannot run beside each other."""
        refuse_foreign()
        service = read_service(self.request.file)
        if self.jobs > 1 and service.completions.listen:
            raise BlockpointError(f"{self.jobs} jobs would listen at one port: leave listen or --jobs away")
        return service

    @cached_property
    def drills(self) -> Mapping[str, Drill]:
        """All that can be broken of it, by name."""
        return drills_of(self.service)

    @cached_property
    def subject(self) -> Subject:
        """The service, with what lost means of it."""
        told = f"lost: had not ended {self.service.drill.settle:g} s after the last end that was seen"
        declared = subject_of(self.service)
        return msgspec.structs.replace(declared, summary=f"{declared.summary}; {told}")

    def agenda(self) -> Agenda:
        """Return the drills that were asked for."""
        service = self.service
        plans = planned_for_service(
            self._asked(),
            f"{service.name}/{VARIANT}",
            repeats=self.request.repeats,
            seed=self.request.seed,
            jobs=self.jobs,
            bystander_per_s=service.declared.bystander_rate,
        )
        self._announce(plans)
        return Agenda(profile=PROFILE, plans=plans, jobs=self.jobs, subjects=[self.subject])

    def left(self, campaign: Campaign) -> list[Plan]:
        """Return the drills that do not count yet; raises BlockpointError for those of another service."""
        plans = super().left(campaign)
        if campaign.manifest.subjects != [self.subject]:
            raise BlockpointError(
                f"{campaign.folder} is not of the service that {self.request.file} declares"
            )
        self._announce(plans)
        return plans

    def refuse_services(self, campaign: Campaign) -> None:
        """Refuse none: they are what is broken."""

    def show(self, work: Sequence[Plan]) -> None:
        """Print no more than was announced."""

    def procedure(self, campaign: Campaign) -> ServiceDrillProcedure:
        """Return a service's."""
        return ServiceDrillProcedure(campaign.manifest, self.drills)

    def carry_out(self, setup: Setup, campaign: Campaign, progress: Progress) -> None:
        """Run the drills with the service in the place of a strategy."""
        super().carry_out(with_service(setup, self.service), campaign, progress)

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Show which tasks ended, drill by drill, and say the rest as of a strategy's."""
        conclusion = super().conclude(campaign)
        self.console.width = max(self.console.width, WIDTH)
        self.console.print(closing_table(conclusion.found["drills"], self.subject))
        told = {
            "completions": self.subject.completions,
            "requests": self.subject.asked,
            "settle_s": self.service.drill.settle,
        }
        return dataclasses.replace(conclusion, found={**conclusion.found, "service": told})

    def summed_up(self, trials: Sequence[Trial]) -> str:
        """Return how many of the accepted tasks were never seen to end."""
        accepted = sum(trial.accounts.accepted for trial in trials)
        lost = sum(trial.accounts.lost for trial in trials)
        waited = f"{self.service.drill.settle:g} s after the last end that was seen"
        return f"{accepted} accepted tasks in {len(trials)} drills: {lost or 'none'} had not ended {waited}"

    def _asked(self) -> list[Drill]:
        """Return the drills that were named, else all that there are of this service."""
        drills, names = self.drills, dict.fromkeys(self.request.names)
        for name in names:
            if name not in drills:
                can = ", ".join(drills)
                raise BlockpointError(f"{name} cannot be done with {self.service.name}: {can} can")
        return [drills[name] for name in names or drills]

    def _announce(self, plans: Sequence[Plan]) -> None:
        """Print what is about to be done to the service, before anything is."""
        for line in (*service_lines(self.service), *_plan_lines(plans, self.service, self.drills)):
            self.say(line)


def _plan_lines(plans: Sequence[Plan], service: Service, drills: Mapping[str, Drill]) -> Iterator[str]:
    """Yield what will be broken, how often, and under how much load."""
    times = Counter(plan.drill for plan in plans)
    for name, drill in drills.items():
        if times[name]:
            yield f"  {name:<12} {times[name]} x {drill.summary}"
    if plans:
        rate, beside = plans[0].rate_per_s, plans[0].bystander_per_s
        requests = sum(plan.seconds for plan in plans) * (rate + beside * len(service.bystanders))
        each = f"{rate:g} tasks/s, {beside:g}/s to each bystander"
        yield f"  load         {each}, {requests:,.0f} requests in all"


def closing_table(found: Sequence[Mapping[str, Any]], subject: Subject) -> Table:
    """Return which tasks ended in which drill; what a source cannot see is a dash."""
    columns = ("accepted", "ended once", "twice", "failed", "never ended", "not accepted", "of these ran")
    table = Table("drill", *columns, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in found:
        table.add_row(each["drill"], *_figures(each, subject.completions))
    return table


def _figures(counted: Mapping[str, Any], completions: str) -> Iterator[str]:
    fates = counted["tasks_by_fate"]

    def number(*wanted: Fate) -> str:
        return str(sum(fates[fate.label] for fate in wanted))

    polled = completions == "poll"
    yield str(counted["accepted_tasks"])
    yield number(Fate.COMPLETED)
    yield NOT_SEEN if polled else number(Fate.STARTED_TWICE, Fate.COMPLETED_TWICE)
    yield number(Fate.FAILED)
    yield number(Fate.LOST)
    yield number(Fate.REJECTED, Fate.UNKNOWN, Fate.RAN_UNACCEPTED)
    yield NOT_SEEN if polled else number(Fate.RAN_UNACCEPTED)
