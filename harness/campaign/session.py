"""Measures trial after trial of one subject, on a target that stays up between them."""

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.campaign.neighbours import NOBODY, Company, Neighbours
from harness.campaign.predictions import split_key, subject_on
from harness.campaign.progress import Progress
from harness.drills.catalogue import named_drill
from harness.drills.trial import Drilling
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, Stack, running_stack
from harness.trial.measurement import Limits, Measurement, undisturbed
from harness.trial.noise import reasons_for_company
from results.errors import BlockpointError
from results.failures import keep_failure
from results.schema import Noise, Plan, Trial
from results.store import Campaign
from targets.settings import Settings

MIN_FREE_BYTES = 500 * 2**20


@dataclass(frozen=True)
class Session:
    """What one command needs to run trials."""

    family: Family
    settings: Settings
    limits: Limits
    attempts: int
    retry_until_s: float
    loop: str
    http: str
    redis_url: str = ""
    neighbours: Neighbours = NOBODY
    lanes: int = 1
    """blocks of trials that run beside each other"""


def launch(session: Session, described: Mapping[str, Any], subject: str) -> Launch:
    """Return how a subject's target is started under a pinning that a manifest describes."""
    pinning = Pinning.described(described)
    _, settings = subject_on(subject, session.settings, pinning)
    return Launch(session.family, pinning, settings, session.loop, session.http, redis_url=session.redis_url)


class Stacks:
    """Keeps one subject's target up from trial to trial, and starts a new one after it was dropped."""

    def __init__(self, session: Session, campaign: Campaign) -> None:
        self._session = session
        self._pinning = campaign.manifest.pinning
        self._campaign = campaign
        self._logs = campaign.folder / "logs"
        self._open = contextlib.ExitStack()
        self._current: tuple[Launch, Stack] | None = None

    def __enter__(self) -> "Stacks":
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
            trial = self._measured(plan, attempt, progress)
        except BlockpointError as error:
            if self._session.family.closed:
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

    def _measured(self, plan: Plan, attempt: int, progress: Progress) -> Trial:
        """Measure and seal one trial, and drop a target on which no other can follow."""
        staged = self._campaign.stage(plan.trial_id, attempt)
        company = Company(self._session.neighbours, progress.tick)
        try:
            started, stack = self._get(plan)
            if plan.drill:
                drilling = self._drilling(started, stack, plan, company.tick)
                trial, clean = drilling.measure(staged, attempt), drilling.clean()
            else:
                limits = self._session.limits
                trial = Measurement(started, stack, plan, limits, company.tick).measure(staged, attempt)
                clean = undisturbed(trial)
            trial = self._witnessed(trial, company.seen())
            if self._session.family.closed:
                raise BlockpointError(f"{plan.trial_id}: it was broken off, since everything is taken down")
            self._campaign.seal(staged, trial)
        except BlockpointError:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        if not clean:
            self.drop()
        return trial

    def _witnessed(self, trial: Trial, company: list[str]) -> Trial:
        """Return the trial with those who measured beside it; what a drill counts does not depend on them."""
        if not company:
            return trial
        noise = msgspec.structs.replace(trial.noise or Noise(), company=company)
        against = reasons_for_company(company, self._session.limits.foreign_cores)
        reasons = [*trial.reasons, *(() if trial.plan.drill else against)]
        return msgspec.structs.replace(trial, noise=noise, reasons=reasons)

    def _drilling(self, started: Launch, stack: Stack, plan: Plan, tick: Callable[[], None]) -> Drilling:
        manifest = self._campaign.manifest
        own_s = manifest.subject(plan.subject).window_s
        drill = named_drill(plan.drill)
        return Drilling(started, stack, drill, plan, own_s, manifest.lanes == 1, tick)

    def _get(self, plan: Plan) -> tuple[Launch, Stack]:
        wanted = self._launch(plan)
        if self._current is None or self._current[0] != wanted:
            self.drop()
            logs = self._logs / f"{plan.subject.replace('/', '-')}-{plan.topology}"
            if plan.drill:
                logs = logs.with_name(plan.trial_id)
            shutil.rmtree(logs, ignore_errors=True)
            logs.mkdir(parents=True)
            stack = self._open.enter_context(running_stack(wanted, *split_key(plan.subject), logs))
            self._current = (wanted, stack)
        return self._current

    def _launch(self, plan: Plan) -> Launch:
        plain = launch(self._session, self._pinning[plan.topology], plan.subject)
        return named_drill(plan.drill).launch(plain) if plan.drill else plain

    def drop(self) -> None:
        """Take the target down."""
        self._current = None
        self._open.close()


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise BlockpointError(
            f"only {free // 2**20} MiB are free under {folder}: a campaign needs {MIN_FREE_BYTES // 2**20}; "
            f"sealed trials are kept, continue with --resume {folder.name}"
        )
