"""What the durable variants promise, with their real brokers and workers."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from celery import Celery

from harness.target.cores import Pinning
from harness.target.environments import environment_of
from harness.target.ledgers import LedgerReader
from harness.target.processes import Family
from harness.target.target import Launch, Target, running_target
from results.terms import Moment
from targets.settings import Settings
from targets.task import MAX_KILL_FIRST

pytestmark = pytest.mark.e2e

LIMIT_S = 180.0
SUPERVISED = ["celery", "arq", "saq", "streaq", "taskiq", "dramatiq", "rq"]
FORMER = "celery@5.6.3,kombu=5.6.2"
"""before kombu's transport could be told how often to look"""
BASE = Settings(slots=3, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0, drills=True)
SHORT = replace(BASE, visibility_s=6.0, job_timeout_s=3.0)
"""longer than the task, and much shorter than the 100 s between two looks of Celery's transport"""
Run = Callable[[str, Settings], Target]


@pytest.fixture
def run(members: Family, tmp_path: Path) -> Iterator[Run]:
    with contextlib.ExitStack() as cleanup:

        def begin(strategy: str, settings: Settings) -> Target:
            launch = Launch(members, Pinning(), settings)
            target = cleanup.enter_context(running_target(launch, strategy, "durable", tmp_path))
            target.preflight("sleep")
            return target

        yield begin


def submit(target: Target, **body: object) -> int:
    """Send a task; returns its id."""
    task_id = secrets.token_hex(8)
    reply = httpx.post(f"{target.url}/tasks", json={"task_id": task_id, **body}, timeout=LIMIT_S)
    assert reply.status_code == 202
    return int(task_id, 16)


def runs(reader: LedgerReader, task_id: int) -> list[tuple[Moment, int]]:
    """Return what executors recorded of a task so far: moment and process, in order of time."""
    events = np.sort(reader.events(), order="at_ns", kind="stable")
    mine = events[(events["task_id"] == task_id) & (events["moment"] >= Moment.STARTED)]
    return [(Moment(int(event["moment"])), int(event["pid"])) for event in mine]


def seen(reader: LedgerReader, task_id: int) -> list[Moment]:
    return [moment for moment, _ in runs(reader, task_id)]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def supervised(target: Target, index: int = 0) -> psutil.Process:
    """Return the worker that a supervisor keeps running."""
    (worker,) = psutil.Process(target.workers[index].pid).children()
    return worker


def empty(target: Target) -> bool:
    assert target.broker is not None
    return target.broker.depth(target.subject.queues) == 0


@pytest.mark.parametrize("strategy", [*SUPERVISED, FORMER])
def test_a_task_of_a_killed_worker_runs_again_and_completes(run: Run, strategy: str) -> None:
    target = run(strategy, SHORT)
    reader = target.reader()
    task_id = submit(target, duration_ms=2000)
    until(lambda: seen(reader, task_id) == [Moment.STARTED])
    killed = supervised(target)
    os.killpg(killed.pid, signal.SIGKILL)
    # whether the next worker is up before the window has passed or not
    until(lambda: Moment.FINISHED in seen(reader, task_id))
    assert seen(reader, task_id) == [Moment.STARTED, Moment.STARTED, Moment.FINISHED]
    assert supervised(target).pid != killed.pid
    until(lambda: empty(target))


@pytest.mark.parametrize("strategy", SUPERVISED)
def test_a_task_that_kills_its_process_completes_in_the_end(run: Run, strategy: str) -> None:
    target = run(strategy, replace(SHORT, job_timeout_s=1.0))
    reader = target.reader()
    ids = []
    for kind in ("sleep", "cpu"):
        ids.append(submit(target, kind=kind, duration_ms=5, kill_first=1))
        until(lambda: Moment.STARTED in seen(reader, ids[-1]))
    for task_id in ids:
        until(lambda task_id=task_id: Moment.FINISHED in seen(reader, task_id))  # type: ignore[misc]
        (first, died), *_, (second, again), (last, _) = runs(reader, task_id)
        assert (first, second, last) == (Moment.STARTED, Moment.STARTED, Moment.FINISHED)
        assert died != again
    until(lambda: empty(target))


@pytest.mark.parametrize("strategy", [*SUPERVISED, FORMER])
def test_a_busy_worker_whose_connections_are_cut_goes_on(run: Run, strategy: str) -> None:
    target = run(strategy, SHORT)
    reader = target.reader()
    ids = [submit(target, duration_ms=2000) for _ in range(SHORT.slots)]
    until(lambda: all(seen(reader, task_id) for task_id in ids))
    assert target.broker is not None
    for kind in ("pubsub", "normal"):
        target.broker.client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    ids.append(submit(target))
    until(lambda: all(Moment.FINISHED in seen(reader, task_id) for task_id in ids))
    until(lambda: empty(target))


@pytest.mark.parametrize("strategy", SUPERVISED)
def test_nothing_that_a_worker_started_outlives_it(run: Run, strategy: str) -> None:
    """What lives on may still be given tasks: it shares its worker's connections to the broker."""
    target = run(strategy, BASE)
    for worker in target.workers:
        started = psutil.Process(worker.pid).children(recursive=True)
        assert started
        worker.process.kill()
        until(lambda started=started: not any(alive(process) for process in started))  # type: ignore[misc]


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_celery_ends_a_poisonous_task_after_its_last_try(run: Run) -> None:
    target = run("celery", BASE)
    reader = target.reader()
    task_id = submit(target, duration_ms=5, kill_first=MAX_KILL_FIRST)
    until(lambda: len(seen(reader, task_id)) == target.subject.max_attempts and empty(target))
    after = submit(target)
    until(lambda: Moment.FINISHED in seen(reader, after))
    assert seen(reader, task_id) == [Moment.STARTED] * target.subject.max_attempts


@pytest.mark.parametrize("strategy", SUPERVISED)
def test_an_orderly_end_finishes_what_runs_and_keeps_what_waits(run: Run, strategy: str) -> None:
    target = run(strategy, BASE)
    reader = target.reader()
    ids = [submit(target, duration_ms=3000) for _ in range(BASE.slots + 2)]
    until(lambda: sum(Moment.STARTED in seen(reader, task_id) for task_id in ids) == BASE.slots)
    for child in target.workers:
        child.process.terminate()
    for child in target.workers:
        child.process.wait(LIMIT_S)
    fates = [seen(reader, task_id) for task_id in ids]
    assert sorted(fates) == [[]] * 2 + [[Moment.STARTED, Moment.FINISHED]] * BASE.slots
    assert target.broker is not None
    waiting = target.broker.task_ids(target.subject.queues)
    assert waiting == {task_id for task_id, fate in zip(ids, fates, strict=True) if not fate}


@pytest.mark.parametrize("strategy", SUPERVISED)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_broker_that_is_gone_or_hangs_is_said_with_503(
    run: Run, strategy: str, number: signal.Signals
) -> None:
    target = run(strategy, BASE)
    assert target.broker is not None
    assert target.broker.child is not None
    os.kill(target.broker.child.pid, number)
    for _ in range(2):
        reply = httpx.post(f"{target.url}/tasks", json={"task_id": secrets.token_hex(8)}, timeout=LIMIT_S)
        assert reply.status_code == 503
        assert "broker cannot be reached" in reply.json()["detail"]
        assert httpx.get(f"{target.url}/ping", timeout=LIMIT_S).status_code == 200
    if number is signal.SIGSTOP:
        os.kill(target.broker.child.pid, signal.SIGCONT)
        reader = target.reader()
        task_id = submit(target)
        until(lambda: Moment.FINISHED in seen(reader, task_id))


def test_the_worker_acknowledges_late_and_prefetches_nothing(run: Run) -> None:
    target = run("celery", replace(BASE, visibility_s=77.0))
    assert target.broker is not None
    with Celery(broker=target.broker.url) as app:
        until(lambda: len(app.control.inspect().ping() or {}) == len(target.workers))
        confs, stats = app.control.inspect().conf(), app.control.inspect().stats()
    for conf in confs.values():
        assert conf["task_acks_late"] is True
        assert conf["task_reject_on_worker_lost"] is True
        assert conf["worker_prefetch_multiplier"] == 1
        assert conf["broker_transport_options"]["visibility_timeout"] == 77.0
    children = {told["pool"]["max-concurrency"]: told["prefetch_count"] for told in stats.values()}
    assert children == {BASE.slots: BASE.slots, BASE.cores: BASE.cores}


@pytest.mark.parametrize("strategy", SUPERVISED)
def test_the_api_comes_back_without_its_broker(run: Run, strategy: str) -> None:
    target = run(strategy, BASE)
    assert target.broker is not None
    assert target.broker.child is not None
    target.broker.child.process.kill()
    target.broker.child.process.wait()
    (web,) = target.web
    web.process.kill()
    web.process.wait()
    port = target.url.rpartition(":")[2]
    environ = {**os.environ, **replace(BASE, redis_url=target.broker.url).to_environment()}
    command = [
        environment_of(strategy).python,
        "-m",
        "uvicorn",
        f"targets.app:{strategy}_durable",
        "--port",
        port,
    ]
    with subprocess.Popen(command, env=environ) as again:
        try:
            until(lambda: answers(target.url))
            reply = httpx.post(f"{target.url}/tasks", json={"task_id": secrets.token_hex(8)}, timeout=LIMIT_S)
            assert reply.status_code == 503
        finally:
            again.kill()


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/ping", timeout=LIMIT_S).status_code == 200
    return False
