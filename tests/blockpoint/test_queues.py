"""A message takes its task's id along, in the environment of each queue's library."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.target.environments import environment_of
from results.ledger_file import read_ledger
from results.terms import Moment

TASKIQ = """
import asyncio
from blockpoint import observe, queues
from taskiq import InMemoryBroker

broker = InMemoryBroker()
broker.add_middlewares(queues.taskiq())

@broker.task
async def work(number):
    if number == 2:
        raise RuntimeError("the second fails")

async def main():
    await broker.startup()
    for number in (1, 2):
        observe.enter(number)
        await (await work.kiq(number)).wait_result()
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

@dramatiq.actor(max_retries=0)
def work(number):
    if number == 2:
        raise RuntimeError("the second fails")

worker = dramatiq.Worker(broker, worker_threads=1)
worker.start()
for number in (1, 2):
    observe.enter(number)
    work.send(number)
broker.join("default", fail_fast=False)
worker.stop()
"""
SCRIPTS = {"taskiq": TASKIQ, "dramatiq": DRAMATIQ}


@pytest.mark.parametrize("queue", SCRIPTS)
def test_a_middleware_takes_the_id_along_and_notes_what_becomes_of_it(queue: str, tmp_path: Path) -> None:
    python = environment_of(queue).python
    recording = {**os.environ, "BLOCKPOINT_LEDGER": str(tmp_path)}
    done = subprocess.run(
        [python, "-c", SCRIPTS[queue]], env=recording, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    events = np.sort(np.concatenate([read_ledger(path) for path in tmp_path.glob("*.bin")]), order="at_ns")
    assert events[["task_id", "attempt", "moment"]].tolist() == [
        (1, 1, Moment.STARTED),
        (1, 1, Moment.FINISHED),
        (2, 1, Moment.STARTED),
        (2, 1, Moment.FAILED),
    ]
