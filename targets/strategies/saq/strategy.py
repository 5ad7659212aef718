"""SAQ over Redis; by hand: `saq targets.strategies.saq.strategy.tuned`."""

import asyncio
import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import BackgroundTasks
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from saq.job import Job, Status
from saq.queue.redis import RedisQueue

from results.schema import Service
from results.terms import KINDS
from targets.publishing import publish_within
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.saq.sweeping import SweptQueue
from targets.strategies.threadpool import default_threads
from targets.task import MAX_DURATION_MS, Task, hex_id
from targets.work import TaskFailedError, perform, perform_async

MODULE = "targets.strategies.saq.strategy"
SHIPPED_JOBS, SHIPPED_TIMEOUT_S, SHIPPED_SWEEP_S = 10, 10, 60
PATIENCE_S = 5
"""SAQ's sweep waits so long for each job that it takes"""
TUNED_ATTEMPTS, TUNED_TIMEOUT_S, TUNED_SWEEP_S = 3, MAX_DURATION_MS // 1000 + 10, 10
DURABLE_TRIES, HEARTBEAT_S, DURABLE_SWEEP_S = 5, 15, 5
WORKER_RETRIES = 15
"""about 11 s while connections are refused: long enough for a server to start again"""
ACCEPT_LIMIT_S = 3.0
STATES = {
    Status.NEW: "accepted",
    Status.QUEUED: "accepted",
    Status.ACTIVE: "started",
    Status.ABORTING: "started",
    Status.COMPLETE: "finished",
    Status.FAILED: "failed",
    Status.ABORTED: "failed",
}
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
        if job.attempts >= TUNED_ATTEMPTS:
            job.retries = job.attempts
        raise


def _seconds(asked: float, own: int) -> int:
    """Return a time that a person has set, in the whole seconds that SAQ takes."""
    return math.ceil(asked) or own


def default() -> dict[str, Any]:
    """Return the worker as shipped."""
    sweep = _seconds(_settings.visibility_s, SHIPPED_SWEEP_S)
    return {"queue": plain_queue(), "functions": [run, compute], "timers": {"sweep": sweep}}


def tuned() -> dict[str, Any]:
    """Return a worker of `slots` jobs that looks for stuck ones six times as often."""
    sweep = _seconds(_settings.visibility_s, TUNED_SWEEP_S)
    return {
        "queue": plain_queue(),
        "functions": [run, compute],
        "concurrency": _settings.slots,
        "timers": {"sweep": sweep},
    }


def durable() -> dict[str, Any]:
    """Return a worker that shows its jobs alive, and that ends when they have."""
    return {
        "queue": SweptQueue(lasting_client(WORKER_RETRIES)),
        "functions": [run, compute],
        "concurrency": _settings.slots,
        "timers": {"sweep": DURABLE_SWEEP_S, "worker_info": DURABLE_SWEEP_S},
        "dequeue_timeout": 1,
        "shutdown_grace_period_s": TUNED_TIMEOUT_S,
        "before_process": begin_heartbeat,
        "after_process": end_heartbeat,
    }


def plain_queue() -> RedisQueue:
    """Return what `Queue.from_url` would, for all addresses that redis-py takes."""
    return RedisQueue(Redis.from_url(_server.url))


def lasting_client(retries: int) -> Redis:
    """Return a client whose every wait is bounded."""
    over_tcp = {} if _server.path else {"socket_keepalive": True}
    client: Redis = Redis.from_url(
        _server.url,
        socket_timeout=5.0,
        socket_connect_timeout=1.0,
        **over_tcp,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )
    return client


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


def served(jobs: int, settings: Settings) -> Mapping[str, Service]:
    """Return how so many jobs at once are served: SAQ's threads are those of Python's default."""
    computing = Service(law="pool", slots=min(jobs, default_threads(settings)))
    return {"sleep": Service(law="pool", slots=jobs), "cpu": computing, "cpu_native": computing}


class SaqDefault:
    """As shipped: ten jobs at once, each given up after ten seconds, results kept for ten minutes."""

    queues: Sequence[str] = ("saq:default:queued", "saq:default:active")
    workers: Sequence[Sequence[str]] = [["saq", f"{MODULE}.{default.__name__}"]]
    max_attempts = 1
    supervised = False

    def __init__(self, settings: Settings) -> None:
        timeout_s = _seconds(settings.job_timeout_s, SHIPPED_TIMEOUT_S)
        sweep_s = _seconds(settings.visibility_s, SHIPPED_SWEEP_S)
        self.window_s: float = timeout_s + sweep_s + PATIENCE_S
        self.services: Mapping[str, Service] = served(SHIPPED_JOBS, settings)
        self._options: Mapping[str, Any] = {"timeout": timeout_s}
        self.settings: Mapping[str, Any] = {"concurrency": SHIPPED_JOBS, "sweep": sweep_s, **self._options}

    async def start(self) -> None:
        """Make the client, which connects at the first task."""
        self._queue = plain_queue()
        await self._queue.connect()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task."""
        function = run if KINDS[task.kind].awaited else compute
        await self._queue.enqueue(
            function.__name__, key=hex_id(task.id), message=task.to_message(), **self._options
        )

    async def state(self, task_id: int) -> str | None:
        """Return SAQ's own state of the job; None where it keeps none."""
        job = await self._queue.job(hex_id(task_id))
        return job and STATES[job.status]

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._queue.disconnect()


class SaqTuned(SaqDefault):
    """Tuned: `slots` jobs at once, three tries of 70 s, no results."""

    workers: Sequence[Sequence[str]] = [["saq", f"{MODULE}.{tuned.__name__}"]]
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        timeout_s = _seconds(settings.job_timeout_s, TUNED_TIMEOUT_S)
        sweep_s = _seconds(settings.visibility_s, TUNED_SWEEP_S)
        self.window_s = timeout_s + sweep_s + PATIENCE_S
        self.services = served(settings.slots, settings)
        self._options = {"timeout": timeout_s, "retries": TUNED_ATTEMPTS, "ttl": -1}
        self.settings = {"concurrency": settings.slots, "sweep": sweep_s, **self._options}


class SaqDurable(SaqTuned):
    """Durable: as tuned, with heartbeats, under a supervisor, with bounded waits and an orderly end.

    A job may run a second time, also one that has completed: it must be idempotent. One that kills its worker
    is given up after `DURABLE_TRIES` starts, and every other job of that worker loses a try with it.
    """

    workers: Sequence[Sequence[str]] = [["targets.supervisor", "saq", f"{MODULE}.{durable.__name__}"]]
    supervised = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        heartbeat_s = _seconds(settings.visibility_s, HEARTBEAT_S)
        self.window_s = heartbeat_s + 2 * DURABLE_SWEEP_S
        self._options = {
            "timeout": TUNED_TIMEOUT_S,
            "heartbeat": heartbeat_s,
            "retries": DURABLE_TRIES,
            "ttl": -1,
        }
        self.settings = {
            "concurrency": settings.slots,
            "sweep": DURABLE_SWEEP_S,
            "shutdown_grace_period_s": TUNED_TIMEOUT_S,
            "accept_limit_s": ACCEPT_LIMIT_S,
            **self._options,
        }

    async def start(self) -> None:
        """Make the client, which connects at the first task: the API starts without its broker."""
        self._queue = SweptQueue(lasting_client(retries=1))
        await self._queue.connect()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Enqueue the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), RedisError, OSError)
