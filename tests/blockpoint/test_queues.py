"""A message takes its task's id along, in the environment of each queue's library."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.target.cores import Pinning
from harness.target.environments import environment_of
from harness.target.processes import Family
from harness.target.redis_broker import embedded_redis
from results.ledger_file import read_ledger
from results.terms import Moment

TASKIQ = """
import asyncio
from blockpoint import observe, queues
from taskiq import InMemoryBroker
from taskiq.middlewares import SimpleRetryMiddleware

broker = InMemoryBroker()
broker.add_middlewares(queues.taskiq(), SimpleRetryMiddleware())
tried = set()

@broker.task(retry_on_error=False)
async def work(number):
    if number == 2:
        raise RuntimeError("the second fails")

@broker.task(retry_on_error=True, max_retries=2)
async def twice(number):
    if number not in tried:
        tried.add(number)
        raise RuntimeError("the first try fails")

async def main():
    await broker.startup()
    for number in (1, 2):
        observe.enter(number)
        await (await work.kiq(number)).wait_result()
    observe.enter(3)
    await (await twice.kiq(3)).wait_result()
    await broker.shutdown()

asyncio.run(main())
"""
DRAMATIQ = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
from blockpoint import observe, queues

broker = StubBroker()
broker.add_middleware(queues.dramatiq())
dramatiq.set_broker(broker)

tried = set()

@dramatiq.actor(max_retries=0)
def work(number):
    if number == 2:
        raise RuntimeError("the second fails")

@dramatiq.actor(max_retries=1, min_backoff=1)
def twice(number):
    if number not in tried:
        tried.add(number)
        raise RuntimeError("the first try fails")

worker = dramatiq.Worker(broker, worker_threads=1)
worker.start()
for number in (1, 2):
    observe.enter(number)
    work.send(number)
observe.enter(3)
twice.send(3)
broker.join("default", fail_fast=False)
worker.stop()
"""
ARQ = """
import asyncio, os
from arq import Retry, Worker, create_pool, func
from arq.connections import RedisSettings
from blockpoint import observe, queues

@queues.arq
async def work(context, number):
    if number == 2:
        raise RuntimeError("the second fails")
    if number == 3 and context["job_try"] == 1:
        raise Retry

async def main():
    settings = RedisSettings.from_dsn(os.environ["BROKER"])
    redis = await create_pool(settings)
    for number in (1, 2, 3):
        observe.enter(number)
        await redis.enqueue_job("work", number, **observe.label())
    observe.enter(None)
    functions = [func(work, name="work")]
    worker = Worker(functions, redis_settings=settings, burst=True, poll_delay=0.01, handle_signals=False)
    await worker.main()
    await worker.close()
    await redis.aclose()

asyncio.run(main())
"""
SCRIPTS = {"taskiq": TASKIQ, "dramatiq": DRAMATIQ}


STARTED, FINISHED, FAILED = Moment.STARTED, Moment.FINISHED, Moment.FAILED
TWO_TRIES = [(3, 1, STARTED), (3, 1, FAILED), (3, 2, STARTED), (3, 2, FINISHED)]
COLUMNS = ["task_id", "attempt", "moment"]


def recorded(queue: str, script: str, folder: Path, **variables: str) -> list[tuple[int, int, Moment]]:
    """Return the tasks, tries and moments that a script records, by task in order of time."""
    python = environment_of(queue).python
    known = {**os.environ, "BLOCKPOINT_LEDGER": str(folder), **variables}
    done = subprocess.run([python, "-c", script], env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    events = np.concatenate([read_ledger(path) for path in folder.glob("*.bin")])
    events.sort(order=["task_id", "at_ns"])
    return [(task, attempt, Moment(moment)) for task, attempt, moment in events[COLUMNS].tolist()]


@pytest.mark.parametrize("queue", SCRIPTS)
def test_a_middleware_takes_the_id_along_and_notes_what_becomes_of_it(queue: str, tmp_path: Path) -> None:
    first, second, third = [(1, 1, STARTED), (1, 1, FINISHED)], [(2, 1, STARTED), (2, 1, FAILED)], TWO_TRIES
    assert recorded(queue, SCRIPTS[queue], tmp_path) == [*first, *second, *third]


@pytest.mark.e2e
def test_a_job_of_arq_takes_the_id_along_in_its_arguments(members: Family, tmp_path: Path) -> None:
    with embedded_redis(members, tmp_path / "broker", Pinning()) as broker:
        seen = recorded("arq", ARQ, tmp_path / "ledger", BROKER=broker.url)
    assert seen == [(1, 1, STARTED), (1, 1, FINISHED), (2, 1, STARTED), (2, 1, FAILED), *TWO_TRIES]
