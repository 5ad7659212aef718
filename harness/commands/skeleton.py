"""What every command that makes a campaign does in the same order; what differs is asked of the command."""

import abc
import functools
from collections.abc import Sequence
from typing import Generic, TypeVar, cast

from rich.console import Console

from harness.campaign.progress import Progress, minutes
from harness.campaign.runner import expected_s, run_campaign
from harness.campaign.session import Procedure, Setup
from harness.campaign.setup import Agenda, Conditions, create, prepare, reopen, unpin
from harness.campaign.unheeded import say_kept, say_unheeded
from harness.target.external import owning
from harness.target.processes import family
from harness.trial.measurement import Measuring
from results.schema import Plan, Point
from results.store import Campaign

R = TypeVar("R", bound=Conditions)
W = TypeVar("W", Plan, Point)


class Command(abc.ABC, Generic[R, W]):
    """One command with what it was asked for; raises BlockpointError for whatever the user can put right."""

    retry_until_s = float("inf")
    attempts: int

    def __init__(self, request: R) -> None:
        self.request = request
        self.console = Console(highlight=False)
        self.say = functools.partial(self.console.print, soft_wrap=True, markup=False)

    @abc.abstractmethod
    def agenda(self) -> Agenda:
        """Return what a new campaign is to measure."""

    @abc.abstractmethod
    def left(self, campaign: Campaign) -> Sequence[W]:
        """Return what an old campaign lacks; raises BlockpointError where it is not one of this command."""

    def show(self, work: Sequence[W]) -> None:
        """Print what would be done."""

    @abc.abstractmethod
    def procedure(self, campaign: Campaign) -> Procedure:
        """Return how the trials are carried out."""

    @abc.abstractmethod
    def outlook(self, work: Sequence[W]) -> tuple[str, float, int]:
        """Return what is about to be done, in words; its expected time in s; its number of trials."""

    @abc.abstractmethod
    def carry_out(self, setup: Setup, campaign: Campaign, progress: Progress) -> None:
        """Run the trials."""

    @abc.abstractmethod
    def conclude(self, campaign: Campaign) -> int:
        """Say what came of it; returns the exit code."""

    def execute(self) -> int:
        """Make a new campaign or go on with an old one; returns the exit code."""
        request = self.request
        with family() as members, owning("" if request.dry_run else request.redis_url):
            if request.resume:
                say_kept(request.resume)
                campaign = reopen(request.resume, members)
                work = self.left(campaign)
            else:
                agenda = self.agenda()
                work = cast("Sequence[W]", agenda.work)
            say_unheeded(request, work)
            if request.dry_run:
                self.show(work)
                return 0
            if not request.resume:
                campaign = create(request, agenda, members)
            setup = prepare(
                request,
                campaign,
                members,
                self.procedure(campaign),
                attempts=self.attempts,
                retry_until_s=self.retry_until_s,
            )
            words, expected_s, trials = self.outlook(work)
            self.say(f"campaign {campaign.folder}: {words}")
            with Progress(self.console, expected_s, trials) as progress:
                self.carry_out(setup, campaign, progress)
        unpin()
        return self.conclude(campaign)

    def report(self, campaign: Campaign) -> None:
        """Make the report, where it was asked for."""
        from harness.commands.report import make

        if self.request.report:
            self.say(f"report: {make(campaign.folder, self.say)}")


class PlannedCommand(Command[R, Plan]):
    """A command whose trials are all planned before the first of them runs."""

    trials = "trials"
    """what they are called"""
    overhead_s = Measuring.overhead_s
    jobs = 1

    def total_s(self, work: Sequence[Plan]) -> float:
        """Return the time that all of them are expected to take, one after the other."""
        return sum(expected_s(plan, self.overhead_s) for plan in work)

    def outlook(self, work: Sequence[Plan]) -> tuple[str, float, int]:
        """Return the number of trials and their time."""
        total_s = self.total_s(work)
        return f"{len(work)} {self.trials}, about {minutes(total_s / self.jobs)}", total_s, len(work)

    def carry_out(self, setup: Setup, campaign: Campaign, progress: Progress) -> None:
        """Run every planned trial."""
        run_campaign(setup, campaign, progress)
