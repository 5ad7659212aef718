"""What every command that makes a campaign does in the same order; what differs is asked of the command."""

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import msgspec
from rich.console import Console

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Conditions
from harness.campaign.create import create
from harness.campaign.prepare import prepare
from harness.campaign.progress import Progress, minutes
from harness.campaign.reopen import reopen
from harness.campaign.runner import expected_s, run_campaign
from harness.campaign.session import Procedure, Setup
from harness.campaign.unheeded import say_kept, say_unheeded
from harness.commands.condition_documents import condition_document
from harness.commands.task_documents import task_document
from harness.target.cores import unpin
from harness.target.external import owning
from harness.target.processes import family
from harness.terminal import document
from harness.terminal.exits import DONE
from harness.trial.measurement import Measuring
from results.schema import Plan, Point
from results.store import Campaign

R = TypeVar("R", bound=Conditions)
W = TypeVar("W", Plan, Point)


@dataclass(frozen=True)
class Conclusion:
    """What came of a campaign."""

    code: int
    """the exit code"""
    found: dict[str, Any]
    """the same as numbers, for programs"""
    page: Path | None = None
    """of the report, where one was made"""


class Command(abc.ABC, Generic[R, W]):
    """One command with what it was asked for; raises BlockpointError for whatever the user can put right."""

    name: str
    """as it is called"""
    retry_until_s = float("inf")
    attempts: int

    def __init__(self, request: R) -> None:
        self.request = request
        self.console = Console(highlight=False, stderr=request.as_json)
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
    def conclude(self, campaign: Campaign) -> Conclusion:
        """Say what came of it."""

    def execute(self) -> int:
        """Make a new campaign or go on with an old one; returns the exit code."""
        request = self.request
        with family() as members, owning("" if request.dry_run else request.redis_url):
            if request.resume:
                say_kept(request.resume)
                campaign = reopen(request.resume, members, request.host)
                work = self.left(campaign)
            else:
                agenda = self.agenda()
                work = cast("Sequence[W]", agenda.work)
            say_unheeded(request, work)
            if request.dry_run:
                self.foretell(work)
                return DONE
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
        return self._hand_over(campaign, self.conclude(campaign))

    def foretell(self, work: Sequence[W]) -> None:
        """Show what would be done."""
        self.show(work)
        if self.request.as_json:
            document.write(self.name, {"dry_run": True, "planned": msgspec.to_builtins(work)})

    def _hand_over(self, campaign: Campaign, conclusion: Conclusion) -> int:
        """Write the document, where it was asked for; returns the exit code."""
        if self.request.as_json:
            about = {
                "campaign": campaign.manifest.campaign,
                "folder": str(campaign.folder),
                "profile": campaign.manifest.profile,
                "report": str(conclusion.page) if conclusion.page else None,
                "exit_code": conclusion.code,
                "conditions": condition_document(campaign),
                **task_document(campaign.manifest),
            }
            document.write(self.name, about | conclusion.found)
        return conclusion.code

    def make_report(self, campaign: Campaign) -> Path | None:
        """Make the report, where it was asked for; return its page."""
        from harness.commands.report import make

        return make(campaign.folder, self.say) if self.request.report else None

    def report(self, campaign: Campaign) -> Path | None:
        """Make the report, where it was asked for, and say where it is."""
        page = self.make_report(campaign)
        if page:
            self.say(f"report: {page}")
        return page


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
