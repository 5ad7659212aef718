"""The command `drill`: breaks what can break, and counts what became of every task."""

import dataclasses
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Conditions
from harness.campaign.predictions import select, usable
from harness.campaign.profiles import EVERY_VARIANT
from harness.campaign.runner import missing, tally
from harness.commands.drill_documents import drill_documents, strays
from harness.commands.skeleton import Conclusion, PlannedCommand
from harness.drills.catalogue import DRILLS, Drill
from harness.drills.plans import planned_drills
from harness.drills.trial import DrillProcedure
from harness.target.placement import NOWHERE
from harness.terminal.exits import DONE, FAULT
from results.errors import BlockpointError, lookup
from results.schema import Plan, Trial
from results.store import Campaign

PROFILE = "drill"
ATTEMPTS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrillRequest(Conditions):
    """What `drill` was asked for."""

    names: tuple[str, ...]
    strategies: tuple[str, ...]
    variants: tuple[str, ...]
    repeats: int
    spread: bool
    """a strategy's variants share the repeats"""
    jobs: int
    attempts: int | None


class DrillCommand(PlannedCommand[DrillRequest]):
    """Runs drills."""

    name = "drill"
    trials = "drills"
    overhead_s = DrillProcedure.overhead_s

    def __init__(self, request: DrillRequest) -> None:
        alone = request.jobs == 1
        super().__init__(request if alone else dataclasses.replace(request, placement=NOWHERE))
        self.attempts = request.attempts or ATTEMPTS
        self.jobs = request.jobs
        _refuse_sharing(request.redis_url, request.jobs)

    def agenda(self) -> Agenda:
        """Return the drills that were asked for, of whom they concern."""
        request = self.request
        keys, left_out = usable(select([EVERY_VARIANT], request.strategies, request.variants))
        return Agenda(profile=PROFILE, plans=_plans(request, keys), jobs=self.jobs, left_out=left_out)

    def left(self, campaign: Campaign) -> list[Plan]:
        """Return the drills that do not count yet."""
        if not all(plan.drill for plan in campaign.manifest.plans):
            raise BlockpointError(f"{campaign.folder} has no drills: continue it with `blockpoint run`")
        self.refuse_services(campaign)
        self.jobs = campaign.manifest.jobs
        _refuse_sharing(self.request.redis_url, self.jobs)
        return [plan for plan, _ in missing(campaign, self.attempts)]

    def refuse_services(self, campaign: Campaign) -> None:
        """Raise BlockpointError where a service was drilled, which its file has to name."""
        if any(subject.asked for subject in campaign.manifest.subjects):
            raise BlockpointError(f"{campaign.folder} is of a service: go on with it by `drill -f FILE` too")

    def show(self, work: Sequence[Plan]) -> None:
        """Print how often each drill would be done with each strategy."""
        _show(self.console, work, self.request.web_processes)
        words, _, _ = self.outlook(work)
        self.console.print(f"{words} in all")

    def procedure(self, campaign: Campaign) -> DrillProcedure:
        """Return a drill's."""
        return DrillProcedure(campaign.manifest)

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Say whether every task is accounted for; its code is 1 where not, or a drill does not count."""
        counts = tally(campaign)
        if not counts.valid + counts.invalid:
            raise BlockpointError(f"{campaign.folder}: no drill could be carried out")
        if counts.failed:
            resume = f"--resume {campaign.folder.name}"
            self.say(f"{counts.failed} drills could not be carried out: continue with {resume}")
        if counts.invalid:
            self.say(f"{counts.invalid} drills do not count, for the reasons given with each; they are kept")
        trials = campaign.trials()
        astray = strays(trials)
        for trial in astray:
            self.say(f"{trial.plan.trial_id}: NOT ALL ACCOUNTED FOR: {'; '.join(trial.reasons)}")
        if not astray:
            self.say(self.summed_up(trials))
        page = self.report(campaign)
        code = FAULT if astray or counts.failed or counts.invalid else DONE
        found = {
            "planned_drills": dataclasses.asdict(counts),
            "not_all_accounted_for": [trial.plan.trial_id for trial in astray],
            "drills": drill_documents(trials),
        }
        return Conclusion(code, found, page)

    def summed_up(self, trials: Sequence[Trial]) -> str:
        """Return what became of all tasks, in a sentence."""
        accepted = sum(trial.accounts.accepted for trial in trials)
        return f"{accepted} accepted tasks in {len(trials)} drills, every one accounted for"


def _refuse_sharing(redis_url: str, jobs: int) -> None:
    if redis_url and jobs > 1:
        raise BlockpointError(f"{jobs} jobs would share one database: leave --redis-url or --jobs away")


def _plans(request: DrillRequest, keys: Sequence[str]) -> list[Plan]:
    drills = _asked(request)
    if request.redis_url:
        drills = [drill for drill in drills if not drill.breaks_broker]
    planned = planned_drills(
        drills,
        keys,
        request.settings,
        request.placement.pinning("one-box"),
        repeats=request.repeats,
        spread=request.spread,
        seed=request.seed,
        jobs=request.jobs,
    )
    if not planned:
        raise BlockpointError(
            f"nothing to do: {', '.join(drill.name for drill in drills) or 'no drill that was asked for'} "
            "concerns none of these strategies; `blockpoint list` says whom each drill concerns"
        )
    return planned


def _asked(request: DrillRequest) -> list[Drill]:
    """Return the drills that were named, else all that are defined for so many web processes."""
    named = [lookup("drill", name, DRILLS) for name in dict.fromkeys(request.names)]
    for drill in named:
        if why := drill.refusal(request.web_processes):
            raise BlockpointError(f"{drill.name} {why}")
    return named or [drill for drill in DRILLS.values() if not drill.refusal(request.web_processes)]


def _show(console: Console, planned: Sequence[Plan], web_processes: int) -> None:
    cells: dict[tuple[str, str], int] = {}
    for plan in planned:
        cells[plan.drill, plan.subject] = cells.get((plan.drill, plan.subject), 0) + 1
    table = Table("drill", "strategy", "repeats", "what is done", box=None, pad_edge=False)
    for (drill, subject), repeats in sorted(cells.items()):
        table.add_row(drill, subject, str(repeats), DRILLS[drill].told(web_processes))
    console.print(table)
