"""Carries out trial after trial of one subject, on a target that stays up between them."""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from harness.campaign.neighbours import NOBODY, Company, Neighbours
from harness.campaign.predictions import settings_on, split_key
from harness.campaign.progress import Progress
from harness.target.cores import Pinning
from harness.target.fleet import ALONE, Fleet
from harness.target.processes import Family
from harness.target.target import Launch, Target, running_target
from results.errors import BlockpointError
from results.failures import keep_failure
from results.findings import Noise
from results.schema import Plan, Point, Trial
from results.store import Campaign
from results.terms import KINDS_RECORDED
from targets.settings import Settings

MIN_FREE_BYTES = 500 * 2**20


class Procedure(Protocol):
    """How planned trials are carried out: a measurement, or a drill."""

    @property
    def overhead_s(self) -> float:
        """Expected time that a trial takes beyond its schedule."""

    @property
    def repeats_together(self) -> int:
        """Repeats of a trial that follow each other on one target."""

    def launch(self, plan: Plan, plain: Launch) -> Launch:
        """Return how the target of such a trial is started."""

    def logs_name(self, plan: Plan) -> str:
        """Return the name of the folder of a target's logs."""

    def carry_out(
        self,
        target: tuple[Launch, Target],
        plan: Plan,
        staged: Path,
        attempt: int,
        tick: Callable[[], None],
    ) -> tuple[Trial, bool]:
        """Return the trial, its tables written, and whether another may follow on the same target.

        Raises BlockpointError where there is nothing to seal.
        """

    def reasons_for_company(self, company: list[str]) -> list[str]:
        """Return why a trial does not count beside which other campaigns measured."""


@dataclass(frozen=True)
class Setup:
    """What one command needs to run trials."""

    family: Family
    settings: Settings
    procedure: Procedure
    attempts: int
    retry_until_s: float
    loop: str
    http: str
    redis_url: str = ""
    neighbours: Neighbours = NOBODY
    jobs: int = 1
    """blocks of trials that run beside each other"""
    fleet: Fleet = ALONE
    """who generates the load"""
    task_packages: tuple[str, ...] = ()
    """what the user's own task needs"""
    start: "Start" = running_target
    settings_of: Callable[[str, Settings, Pinning], Settings] = settings_on


Start = Callable[[Launch, str, str, Path], contextlib.AbstractContextManager[Target]]
"""starts what a subject's strategy and variant name, its logs in that folder"""


class Session:
    """Keeps one subject's target up from trial to trial, and starts a new one after it was dropped."""

    def __init__(self, setup: Setup, campaign: Campaign) -> None:
        self._setup = setup
        self._procedure = setup.procedure
        self._campaign = campaign
        self._open = contextlib.ExitStack()
        self._current: tuple[Launch, Target] | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def measure(self, plan: Plan, attempt: int, progress: Progress) -> Trial | None:
        """Measure and seal one trial; None where that cannot be done, which is reported.

        Raises BlockpointError where going on makes no sense: a full disk.
        """
        folder = self._campaign.folder
        _check_disk(folder)
        try:
            trial = self._measured(plan, attempt)
        except BlockpointError as error:
            if self._setup.family.closed:
                return None
            self.drop()
            keep_failure(folder, plan, error)
            progress.say(f"{plan.trial_id} could not be measured: {error}")
            return None
        except OSError as error:
            raise BlockpointError(
                f"{plan.trial_id}: {error.strerror or error}; sealed trials are kept: put that right and "
                f"continue with --resume {folder.name}"
            ) from error
        return trial

    def _measured(self, plan: Plan, attempt: int) -> Trial:
        """Measure and seal one trial, and drop a target on which no other can follow."""
        staged = self._campaign.stage(plan.trial_id, attempt)
        company = Company(self._setup.neighbours)
        try:
            target = self._get(plan)
            trial, clean = self._procedure.carry_out(target, plan, staged, attempt, company.tick)
            trial = self._witnessed(trial, company.seen())
            if self._setup.family.closed:
                raise BlockpointError(f"{plan.trial_id}: it was broken off, since everything is taken down")
            self._campaign.seal(staged, trial)
        except BlockpointError:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        if not clean:
            self.drop()
        return trial

    def _witnessed(self, trial: Trial, company: list[str]) -> Trial:
        """Return the trial with those who measured beside it."""
        if not company:
            return trial
        noise = msgspec.structs.replace(trial.noise or Noise(), company=company)
        reasons = [*trial.reasons, *self._procedure.reasons_for_company(company)]
        return msgspec.structs.replace(trial, noise=noise, reasons=reasons)

    def _get(self, plan: Plan) -> tuple[Launch, Target]:
        wanted = self._launch(plan)
        if self._current is None or self._current[0] != wanted:
            self.drop()
            logs = self._campaign.folder / "logs" / self._procedure.logs_name(plan)
            shutil.rmtree(logs, ignore_errors=True)
            logs.mkdir(parents=True)
            target = self._open.enter_context(self._setup.start(wanted, *split_key(plan.subject), logs))
            self._current = (wanted, target)
        return self._current

    def _launch(self, plan: Plan) -> Launch:
        setup, manifest = self._setup, self._campaign.manifest
        pinning = Pinning.described(manifest.pinning[plan.topology])
        settings = setup.settings_of(plan.subject, setup.settings, pinning)
        plain = Launch(
            setup.family,
            pinning,
            settings,
            setup.loop,
            setup.http,
            redis_url=setup.redis_url,
            host=setup.fleet.host,
            needs=servers_of([*manifest.plans, *manifest.points]),
            fleet=setup.fleet,
            task_packages=setup.task_packages,
        )
        return self._procedure.launch(plan, plain)

    def drop(self) -> None:
        """Take the target down."""
        self._current = None
        self._open.close()


def servers_of(work: Iterable[Plan | Point]) -> frozenset[str]:
    """Return the settings that name servers which these tasks need."""
    return frozenset(filter(None, (KINDS_RECORDED[kind].needs for item in work for kind in item.kinds)))


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise BlockpointError(
            f"only {free // 2**20} MiB are free under {folder}: a campaign needs {MIN_FREE_BYTES // 2**20}; "
            f"sealed trials are kept, continue with --resume {folder.name}"
        )
