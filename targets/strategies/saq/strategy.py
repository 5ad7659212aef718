"""SAQ over Redis; by hand: `saq targets.strategies.saq.worker.tuned`."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError
from saq.job import Status
from saq.queue.redis import RedisQueue

from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import Durable, Queue, commands, under_supervisor
from targets.serving import by_kind, pool
from targets.settings import Settings
from targets.strategies.saq import worker
from targets.strategies.saq.worker import DURABLE_SWEEP_S, TUNED_TIMEOUT_S, seconds
from targets.strategies.threadpool import default_threads
from targets.task import Task, hex_id

SHIPPED_JOBS, SHIPPED_TIMEOUT_S = 10, 10
PATIENCE_S = 5
"""SAQ's sweep waits so long for each job that it takes"""
DURABLE_TRIES, HEARTBEAT_S = 5, 15
STATES = {
    Status.NEW: "accepted",
    Status.QUEUED: "accepted",
    Status.ACTIVE: "started",
    Status.ABORTING: "started",
    Status.COMPLETE: "finished",
    Status.FAILED: "failed",
    Status.ABORTED: "failed",
}


class SaqDefault(Queue):
    """As shipped: ten jobs at once, each given up after ten seconds, results kept for ten minutes."""

    queues = ("saq:default:queued", "saq:default:active")
    workers = commands(["saq", f"{worker.__name__}.default"])

    def __init__(self, settings: Settings) -> None:
        self._declare(settings, SHIPPED_JOBS, SHIPPED_TIMEOUT_S, worker.SHIPPED_SWEEP_S)

    def _declare(self, settings: Settings, jobs: int, timeout_s: int, sweep_s: int, **options: Any) -> None:
        options = {"timeout": seconds(settings.job_timeout_s, timeout_s), **options}
        sweep_s = seconds(settings.visibility_s, sweep_s)
        self.window_s = options["timeout"] + sweep_s + PATIENCE_S * jobs
        # SAQ's threads are those of Python's default
        self.services = by_kind(pool(jobs), pool(min(jobs, default_threads(settings))))
        self._options: Mapping[str, Any] = options
        self.settings = {"concurrency": jobs, "sweep": sweep_s, **options}

    async def start(self) -> None:
        """Make the client, which connects at the first task: the API starts without its broker."""
        self._queue = self._made()
        await self._queue.connect()

    def _made(self) -> RedisQueue:
        return worker.plain_queue()

    async def publish(self, task: Task) -> None:
        """Enqueue the task."""
        function = worker.run if KINDS[task.kind].awaited else worker.compute
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

    workers = commands(["saq", f"{worker.__name__}.tuned"])
    max_attempts = worker.ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        kept = {"retries": worker.ATTEMPTS, "ttl": -1}
        self._declare(settings, settings.slots, TUNED_TIMEOUT_S, worker.TUNED_SWEEP_S, **kept)


class SaqDurable(Durable, SaqTuned):
    """Durable: as tuned, with heartbeats, under a supervisor, with bounded waits and an orderly end.

    A job may run a second time, also one that has completed: it must be idempotent. One that kills its worker
    is given up after `DURABLE_TRIES` starts, and every other job of that worker loses a try with it.
    """

    workers = under_supervisor(["saq", f"{worker.__name__}.durable"])
    unreachable = (RedisError, OSError)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        heartbeat_s = seconds(settings.visibility_s, HEARTBEAT_S)
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

    def _made(self) -> RedisQueue:
        return worker.lasting_queue(retries=1)
