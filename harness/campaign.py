"""Runs a campaign: every planned trial, each stack in its own processes, sealed one by one."""

import contextlib
import itertools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.expectation import split_key, subject_on
from harness.pinning import Pinning
from harness.processes import Family
from harness.progress import Progress
from harness.stack import Launch, Stack, running_stack
from harness.trial import Limits, Measurement
from results.errors import BlockpointError
from results.schema import Plan, Trial
from results.store import Campaign
from targets.settings import Settings

STACK_S = 1.5
"""expected time to start and stop a target"""
TRIAL_OVERHEAD_S = 2.5
"""expected time that a trial takes beyond its schedule: the generator's start, drain and sealing"""
MIN_FREE_BYTES = 500 * 2**20
Attempt = tuple[Plan, int]
"""a planned trial and the number of this try at it, from 1"""


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


@dataclass
class Tally:
    """How the planned trials ended: measured and valid, measured and refused, not measured."""

    valid: int = 0
    invalid: int = 0
    failed: int = 0


def expected_s(plan: Plan) -> float:
    """Return the time that a trial is expected to take, its share of its stack's start included."""
    return plan.seconds + TRIAL_OVERHEAD_S + STACK_S / 3


def missing(campaign: Campaign, attempts: int) -> list[Attempt]:
    """Return the planned trials that have no valid run yet, each with its next attempt's number."""
    sealed: dict[str, list[Trial]] = {}
    for trial in campaign.trials():
        sealed.setdefault(trial.plan.trial_id, []).append(trial)
    wanted = []
    for plan in campaign.manifest.plans:
        tries = sealed.get(plan.trial_id, [])
        if not any(trial.valid for trial in tries) and len(tries) < attempts:
            wanted.append((plan, 1 + max((trial.attempt for trial in tries), default=0)))
    return wanted


def run_campaign(session: Session, campaign: Campaign, progress: Progress) -> None:
    """Run every trial that has no valid result yet; invalid ones are repeated after all the others.

    A trial that cannot be run is reported and left out; the campaign goes on. Raises BlockpointError
    where going on makes no sense: a full disk.
    """
    campaign.discard_partial()
    todo = missing(campaign, session.attempts)
    started = time.monotonic()
    while todo:
        again: list[Attempt] = []
        for _, block in itertools.groupby(todo, key=_block_key):
            again += _run_block(session, campaign, list(block), progress)
        left_s = session.retry_until_s - (time.monotonic() - started)
        todo = []
        for plan, attempt in again:
            left_s -= expected_s(plan) + STACK_S
            if left_s > 0:
                todo.append((plan, attempt))
                progress.expect(expected_s(plan))


def tally(campaign: Campaign) -> Tally:
    """Count how the planned trials have ended."""
    counts = Tally()
    valid: dict[str, bool] = {}
    for trial in campaign.trials():
        valid[trial.plan.trial_id] = valid.get(trial.plan.trial_id, False) or trial.valid
    for plan in campaign.manifest.plans:
        if plan.trial_id not in valid:
            counts.failed += 1
        elif valid[plan.trial_id]:
            counts.valid += 1
        else:
            counts.invalid += 1
    return counts


def _block_key(item: Attempt) -> tuple[str, str, int]:
    plan, _ = item
    return plan.subject, plan.topology, plan.repeat


def _run_block(
    session: Session, campaign: Campaign, block: Sequence[Attempt], progress: Progress
) -> list[Attempt]:
    """Run one subject's trials; returns those that are to be tried again."""
    again = []
    with _Stacks(session, campaign) as stacks:
        for plan, attempt in block:
            _check_disk(campaign.folder)
            progress.begin(plan)
            try:
                launch, stack = stacks.get(plan)
                measurement = Measurement(launch, stack, plan, session.limits, progress.tick)
                trial = measurement.run(campaign, attempt)
            except BlockpointError as error:
                stacks.drop()
                progress.say(f"{plan.trial_id} could not be measured: {error}")
                continue
            except OSError as error:
                raise BlockpointError(
                    f"{plan.trial_id}: {error.strerror or error}; sealed trials are kept: put that right and "
                    f"continue with --resume {campaign.folder.name}"
                ) from error
            if not trial.drained:
                stacks.drop()
            progress.sealed(campaign, trial, expected_s(plan))
            if not trial.valid and attempt < session.attempts:
                again.append((plan, attempt + 1))
    return again


class _Stacks:
    """Keeps the block's target up from trial to trial, and starts a new one after it was dropped."""

    def __init__(self, session: Session, campaign: Campaign) -> None:
        self._session = session
        self._pinning = campaign.manifest.pinning
        self._logs = campaign.folder / "logs"
        self._open = contextlib.ExitStack()
        self._current: tuple[Launch, Stack] | None = None

    def __enter__(self) -> "_Stacks":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def get(self, plan: Plan) -> tuple[Launch, Stack]:
        """Return the running target for a plan's subject and topology."""
        if self._current is None:
            session = self._session
            pinning = Pinning.described(self._pinning[plan.topology])
            _, settings = subject_on(plan.subject, session.settings, pinning)
            launch = Launch(
                session.family, pinning, settings, session.loop, session.http, redis_url=session.redis_url
            )
            logs = self._logs / f"{plan.subject.replace('/', '-')}-{plan.topology}"
            shutil.rmtree(logs, ignore_errors=True)
            logs.mkdir(parents=True)
            stack = self._open.enter_context(running_stack(launch, *split_key(plan.subject), logs))
            self._current = (launch, stack)
        return self._current

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
