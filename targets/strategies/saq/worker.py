"""What SAQ's workers run, in each variant: `saq targets.strategies.saq.worker.tuned`."""

import asyncio
import contextlib
import math
from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq.job import Job, Status
from saq.queue.redis import RedisQueue

from targets.lasting import WORKER_RETRIES, lasting
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.saq.sweeping import SweptQueue
from targets.task import MAX_DURATION_MS, Task
from targets.work import TaskFailedError, perform, perform_async

SHIPPED_SWEEP_S, TUNED_SWEEP_S, DURABLE_SWEEP_S = 60, 10, 5
TUNED_TIMEOUT_S = MAX_DURATION_MS // 1000 + 10
ATTEMPTS = 3
_settings = Settings.from_environment()
_server = RedisServer.parse(_settings.redis_url)


async def run(ctx: dict[str, Any], *, message: dict[str, Any]) -> None:
    """Do the task on the worker's event loop."""
    with _tried(ctx["job"]) as attempt:
        await perform_async(Task.from_message(message), attempt)


def compute(ctx: dict[str, Any], *, message: dict[str, Any]) -> None:
    """Do the task in a thread of SAQ's pool."""
    with _tried(ctx["job"]) as attempt:
        perform(Task.from_message(message), attempt)


@contextlib.contextmanager
def _tried(job: Job) -> Iterator[int]:
    """Give the number of this try; a task that fails is tried no more often than it may fail."""
    try:
        yield job.attempts
    except TaskFailedError:
        if job.attempts >= ATTEMPTS:
            job.retries = job.attempts
        raise


def seconds(asked: float, own: int) -> int:
    """Return a time that a person has set, in the whole seconds that SAQ takes."""
    return math.ceil(asked) or own


def plain_queue() -> RedisQueue:
    """Return what `Queue.from_url` would, for all addresses that redis-py takes."""
    return RedisQueue(Redis.from_url(_server.url))


def lasting_queue(retries: int) -> RedisQueue:
    """Return a queue whose every wait for Redis is bounded, and which spares what lives."""
    return SweptQueue(Redis.from_url(_server.url, **lasting(_server, retries)))


def default() -> dict[str, Any]:
    """Return the worker as shipped."""
    sweep_s = seconds(_settings.visibility_s, SHIPPED_SWEEP_S)
    return {"queue": plain_queue(), "functions": [run, compute], "timers": {"sweep": sweep_s}}


def tuned() -> dict[str, Any]:
    """Return a worker of `slots` jobs that looks for stuck ones six times as often."""
    sweep_s = seconds(_settings.visibility_s, TUNED_SWEEP_S)
    return {**default(), "concurrency": _settings.slots, "timers": {"sweep": sweep_s}}


def durable() -> dict[str, Any]:
    """Return a worker that shows its jobs alive, and that ends when they have."""
    return {
        "queue": lasting_queue(WORKER_RETRIES),
        "functions": [run, compute],
        "concurrency": _settings.slots,
        "timers": {"sweep": DURABLE_SWEEP_S, "worker_info": DURABLE_SWEEP_S},
        "dequeue_timeout": 1,
        "shutdown_grace_period_s": TUNED_TIMEOUT_S,
        "before_process": begin_heartbeat,
        "after_process": end_heartbeat,
    }


async def begin_heartbeat(ctx: dict[str, Any]) -> None:
    """Begin to show that the worker of a job lives."""
    ctx["heartbeat"] = asyncio.create_task(_beat(ctx["job"]))


async def end_heartbeat(ctx: dict[str, Any]) -> None:
    """End that: the job has ended."""
    ctx["heartbeat"].cancel()


async def _beat(job: Job) -> None:
    while True:
        await asyncio.sleep(job.heartbeat / 3)
        with contextlib.suppress(RedisError, OSError):
            if job.status == Status.ACTIVE:
                await job.update()
