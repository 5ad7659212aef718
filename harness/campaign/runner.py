"""Runs a campaign: every planned trial, each target in its own processes, sealed one by one."""

import functools
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.campaign.jobs import in_parallel
from harness.campaign.progress import Progress, result
from harness.campaign.session import Procedure, Session, Setup
from results.failures import read_failures
from results.schema import Plan, Trial
from results.store import Campaign
from results.terms import SOAK
from results.text import visible

TARGET_S = 1.5
"""expected time to start and stop a target"""
NOT_RUN = "it was not run; continue it with --resume"
Attempt = tuple[Plan, int]
"""a planned trial and the number of this try at it, from 1"""


@dataclass(frozen=True)
class Tally:
    """How the planned trials ended: measured and valid, measured and refused, not measured."""

    valid: int
    invalid: int
    failed: int


def expected_s(plan: Plan, overhead_s: float) -> float:
    """Return the time that a trial is expected to take, its share of its target's start included."""
    return plan.seconds + overhead_s + TARGET_S / 3


def missing(campaign: Campaign, attempts: int) -> list[Attempt]:
    """Return the planned trials that have no valid run yet, each with its next attempt's number."""
    wanted = []
    for plan, tries in _tries(campaign):
        if not any(trial.valid for trial in tries) and len(tries) < attempts:
            wanted.append((plan, 1 + max((trial.attempt for trial in tries), default=0)))
    return wanted


def run_campaign(setup: Setup, campaign: Campaign, progress: Progress) -> None:
    """Run every trial that has no valid result yet; invalid ones are repeated after all the others.

    A trial that cannot be run is reported and left out; the campaign goes on. Raises BlockpointError
    where going on makes no sense: a full disk.
    """
    campaign.discard_partial()
    todo = missing(campaign, setup.attempts)
    started = time.monotonic()
    while todo:
        blocks = [
            list(block)
            for _, block in itertools.groupby(todo, functools.partial(_block_key, setup.procedure))
        ]
        work = functools.partial(_run_block, setup, campaign, progress)
        again = [item for tried in in_parallel(setup, blocks, work) for item in tried]
        left_s = setup.retry_until_s - (time.monotonic() - started)
        todo = []
        for plan, attempt in again:
            left_s -= expected_s(plan, setup.procedure.overhead_s) + TARGET_S
            if left_s > 0:
                todo.append((plan, attempt))
                progress.expect(expected_s(plan, setup.procedure.overhead_s))


def tally(campaign: Campaign) -> Tally:
    """Count how the planned trials have ended."""
    ended = Counter(any(trial.valid for trial in tries) if tries else None for _, tries in _tries(campaign))
    return Tally(valid=ended[True], invalid=ended[False], failed=ended[None])


def unmeasured_lines(campaign: Campaign) -> Iterator[str]:
    """Yield a line for each planned trial that has no sealed run: that it was not measured, and why."""
    why = {failure.plan.trial_id: failure.why for failure in read_failures(campaign.folder)}
    for plan, tries in _tries(campaign):
        if not tries:
            yield f"not measured: {plan.trial_id}: {visible(why.get(plan.trial_id, NOT_RUN))}"


def _tries(campaign: Campaign) -> Iterator[tuple[Plan, list[Trial]]]:
    """Yield every planned trial with its sealed runs."""
    sealed: dict[str, list[Trial]] = {}
    for trial in campaign.trials():
        sealed.setdefault(trial.plan.trial_id, []).append(trial)
    for plan in campaign.manifest.plans:
        yield plan, sealed.get(plan.trial_id, [])


def _block_key(procedure: Procedure, item: Attempt) -> tuple[str, str, int]:
    plan, _ = item
    together = plan.repeat // procedure.repeats_together if plan.scenario != SOAK else 0
    return plan.subject, plan.topology, together


def _run_block(
    setup: Setup, campaign: Campaign, progress: Progress, block: Sequence[Attempt]
) -> list[Attempt]:
    """Run one subject's trials; returns those that are to be tried again."""
    again = []
    with Session(setup, campaign) as session:
        for plan, attempt in block:
            progress.begin(plan)
            trial = session.measure(plan, attempt, progress)
            if trial is None:
                continue
            progress.sealed(trial.plan, result(campaign, trial), expected_s(plan, setup.procedure.overhead_s))
            if not trial.valid and attempt < setup.attempts:
                again.append((plan, attempt + 1))
    return again
