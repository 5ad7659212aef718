"""Runs a campaign: every planned trial, each stack in its own processes, sealed one by one."""

import contextlib
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.expectation import split_key, subject_on
from harness.pinning import available_cores, choose
from harness.processes import Family
from harness.progress import Progress
from harness.stack import Launch, Stack, running_stack
from harness.trial import Limits, Measurement
from results.errors import BlockpointError
from results.schema import Plan, Trial
from results.store import Campaign
from targets.settings import Settings

STACK_S = 3.0
"""expected time to start and stop a target"""
TRIAL_OVERHEAD_S = 3.2
"""expected time that a trial takes beyond its schedule: the generator's start, drain and sealing"""
MIN_FREE_BYTES = 500 * 2**20


@dataclass(frozen=True)
class Session:
    """What one command needs to run trials."""

    family: Family
    settings: Settings
    limits: Limits
    attempts: int
    loop: str
    http: str
    redis_url: str = ""


@dataclass
class Tally:
    """How the planned trials ended."""

    valid: int = 0
    invalid: int = 0
    failed: int = 0


def expected_s(plan: Plan) -> float:
    """Return the time that a trial is expected to take, its share of its stack's start included."""
    return plan.seconds + TRIAL_OVERHEAD_S + STACK_S / 3


def missing(campaign: Campaign, attempts: int) -> list[tuple[Plan, int]]:
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


def run_campaign(session: Session, campaign: Campaign, progress: Progress) -> Tally:
    """Run every trial that has no valid result yet; invalid ones are repeated after the others.

    A trial that cannot be run is reported and left out; the campaign goes on. Raises BlockpointError
    where going on makes no sense: a full disk, or no strategy that starts.
    """
    campaign.discard_partial()
    tally = Tally()
    todo = missing(campaign, session.attempts)
    while todo:
        again: list[tuple[Plan, int]] = []
        for _, block in itertools.groupby(
            todo, key=lambda item: (item[0].subject, item[0].topology, item[0].repeat)
        ):
            again += _run_block(session, campaign, list(block), progress, tally)
        todo = again
    return tally


def _run_block(
    session: Session,
    campaign: Campaign,
    block: Sequence[tuple[Plan, int]],
    progress: Progress,
    tally: Tally,
) -> list[tuple[Plan, int]]:
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
                tally.failed += 1
                progress.say(f"{plan.trial_id} could not be measured: {error}")
                continue
            except OSError as error:
                raise BlockpointError(
                    f"{plan.trial_id}: {error.strerror or error}; sealed trials are kept: free some room and "
                    f"continue with --resume {campaign.folder.name}"
                ) from error
            if not trial.drained:
                stacks.drop()
            progress.sealed(campaign, trial, expected_s(plan))
            if trial.valid:
                tally.valid += 1
            elif attempt < session.attempts:
                again.append((plan, attempt + 1))
                progress.total += 1
                progress.expected_s += expected_s(plan)
            else:
                tally.invalid += 1
    return again


class _Stacks:
    """Keeps the block's target up from trial to trial, and starts a new one after it was dropped."""

    def __init__(self, session: Session, campaign: Campaign) -> None:
        self._session = session
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
            pinning = choose(plan.topology, available_cores())
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
