"""Whoever harms a trial's processes, its document says so, and no loss passes for work under way."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.target.cores import Pinning
from harness.target.ledgers import LedgerReader
from harness.target.processes import Family
from harness.target.target import Launch, Target, running_target
from harness.trial.measurement import Limits, Measurement, undisturbed
from results.schema import Plan, Trial
from results.tables import read_table
from targets.settings import Settings

pytestmark = pytest.mark.e2e

LIMITS = Limits(drain_s=2.0, foreign_cores=1024, quiet_wait_s=0)
LIMIT_S = 60.0
Fault = Callable[[Target, LedgerReader], None]


@pytest.fixture
def measure(members: Family, tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    """Give a function that measures a trial while something is done to its target."""
    with contextlib.ExitStack() as cleanup:

        def run(subject: str, strike: Fault) -> Trial:
            launch = Launch(members, Pinning(), Settings(slots=4, cores=1))
            target = cleanup.enter_context(running_target(launch, *subject.split("/"), tmp_path))
            (tmp_path / "logs").mkdir()
            plan = Plan(
                trial_id="0001",
                subject=subject,
                kind="sleep",
                duration_ms=400,
                scenario="steady",
                rate_per_s=8,
                seconds=4,
                seed=1,
                bystander_per_s=5,
            )
            reader = target.reader()
            striker = threading.Thread(target=strike, args=(target, reader))
            striker.start()
            try:
                return Measurement(launch, target, plan, LIMITS).measure(tmp_path, 1)
            finally:
                striker.join()

        yield run


def once_loaded(reader: LedgerReader) -> dict[int, int]:
    """Wait until some tasks have ended and another runs; returns which process runs each."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        reader.outstanding()
        running = reader.running()
        if reader.ended >= 4 and running:  # the preflight's task is none of them
            return running
        assert time.monotonic() < deadline, "nothing ran"
        time.sleep(0.01)


def kill_runner(_: Target, reader: LedgerReader) -> None:
    """SIGKILL the processes that run a task, until one had no time to end it."""
    while True:
        running = once_loaded(reader)
        for pid in set(running.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if any(reader.running().get(task_id) == pid for task_id, pid in running.items()):
            return


def reasons(trial: Trial, word: str) -> list[str]:
    return [reason for reason in trial.reasons if reason.startswith(f"{word}:")]


def test_the_tasks_of_killed_children_are_unaccounted_for(measure: Callable[..., Trial]) -> None:
    trial = measure("celery/default", kill_runner)
    assert trial.accounts.unaccounted >= 1
    assert reasons(trial, "accounts")
    (died,) = reasons(trial, "died")
    assert "of the worker" in died
    assert not trial.drained
    assert not undisturbed(trial)


def test_a_restart_by_the_supervisor_is_a_reason(measure: Callable[..., Trial], tmp_path: Path) -> None:
    trial = measure("arq/durable", kill_runner)
    (died,) = reasons(trial, "died")
    assert "of the worker" in died
    assert trial.accounts.unaccounted == 0
    if not trial.drained:
        held = set(read_table(tmp_path, "holdings")["task_id"].to_pylist())
        assert len(held) >= trial.accounts.waiting


def test_who_stands_still_is_named(measure: Callable[..., Trial]) -> None:
    def stop_one_of_each(target: Target, reader: LedgerReader) -> None:
        once_loaded(reader)
        for pid in sampler_of(target):
            os.kill(pid, signal.SIGSTOP)
        target.workers[0].signal_group(signal.SIGSTOP)

    trial = measure("celery/tuned", stop_one_of_each)
    assert reasons(trial, "samples")
    assert ["worker" in reason for reason in reasons(trial, "halted")] == [True]
    assert trial.accounts.in_service > 0


def sampler_of(target: Target) -> set[int]:
    """Return the sampler that watches a target: it names the web's process in its command."""
    named = f"--role=web={target.web[0].pid}"
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if named in process.cmdline():
                found.add(process.pid)
    return found


def test_a_sampler_that_was_stopped_for_a_while_says_so(measure: Callable[..., Trial]) -> None:
    def stop_and_go_on(target: Target, reader: LedgerReader) -> None:
        once_loaded(reader)
        (pid,) = sampler_of(target)
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGCONT)

    trial = measure("background_tasks/default", stop_and_go_on)
    assert ["sampler" in reason for reason in reasons(trial, "halted")] == [True]
    assert trial.drained
