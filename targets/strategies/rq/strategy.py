"""RQ over Redis; by hand: `rq worker --config targets.strategies.rq.config --serializer json`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from fastapi import BackgroundTasks
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as Again
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, Publishers, publish_within
from targets.serving import by_queue, children
from targets.settings import Settings
from targets.strategies.rq.config import REDIS_URL
from targets.strategies.rq.jobs import RETRIES, RUN
from targets.strategies.rq.workers import LOOK_S, DurableWorker, hidden_s
from targets.task import MAX_DURATION_MS, Task, hex_id

SHIPPED_TIMEOUT_S = 180.0
TUNED_TIMEOUT_S = MAX_DURATION_MS / 1000 + 10
SIGN_OF_LIFE_S = 30.0
GRACE_S = 60.0
"""how much later than the next sign of life RQ takes a job for abandoned"""
DURABLE_RESULT_S = 60
"""with none, RQ 3.0 fails to delete a job that was once abandoned, and runs again what has completed"""
SHIPPED_QUEUE, WAITING, COMPUTING = "default", "waiting", "computing"
STATES = {
    "queued": "accepted",
    "scheduled": "accepted",
    "started": "started",
    "finished": "finished",
    "failed": "failed",
}
OPTIONS = ["--config", "targets.strategies.rq.config", "--serializer", "json", "--quiet"]


def _keys(*queues: str) -> list[str]:
    """Return where a queue's jobs wait, are handed over, and are being done."""
    return [
        key
        for queue in queues
        for key in (f"rq:queue:{queue}", f"rq:queue:{queue}:intermediate", f"rq:wip:{queue}")
    ]


class RqDefault:
    """As shipped: one worker, a process a job, one at a time; `.enqueue()` called in the coroutine."""

    workers: Sequence[Sequence[str]] = [["rq.cli", "worker", *OPTIONS]]
    queues: Sequence[str] = _keys(SHIPPED_QUEUE)
    max_attempts = 1
    supervised = False

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.job_timeout_s or SHIPPED_TIMEOUT_S
        self.window_s = min(self._timeout_s, SIGN_OF_LIFE_S) + GRACE_S
        self.services: Mapping[str, Service] = dict.fromkeys(KINDS, children(1))
        self.settings: Mapping[str, Any] = {"job_timeout_s": self._timeout_s, "results": "redis"}

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(REDIS_URL)

    async def start(self) -> None:
        """Make the client, which connects at the first job."""
        self._redis = self._client()

    def _enqueue(self, task: Task, queue: str, **options: Any) -> None:
        target = Queue(queue, connection=self._redis, serializer=JSONSerializer)
        target.enqueue(
            RUN,
            task.to_message(),
            job_id=hex_id(task.id),
            job_timeout=max(1, int(self._timeout_s)),
            **options,
        )

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task, blocking the event loop meanwhile."""
        self._enqueue(task, SHIPPED_QUEUE)

    def _status(self, task_id: int) -> str | None:
        try:
            job = Job.fetch(hex_id(task_id), connection=self._redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return None
        return STATES.get(job.get_status(refresh=False).value)

    async def state(self, task_id: int) -> str | None:
        """Return the job's status; None where RQ keeps none (any more)."""
        return await asyncio.to_thread(self._status, task_id)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await asyncio.to_thread(self._redis.close)


def _pool(workers: int, kind: str, queue: str) -> list[str]:
    return ["rq.cli", "worker-pool", *OPTIONS, "--worker-class", kind, "--num-workers", str(workers), queue]


class RqTuned(RqDefault):
    """Tuned: no results, publishing off the event loop, pools of workers that do not fork."""

    queues = _keys(WAITING, COMPUTING)
    max_attempts = RETRIES + 1
    worker_class = "rq.worker.SimpleWorker"
    result_ttl_s = 0

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.job_timeout_s or TUNED_TIMEOUT_S
        self.window_s = self._timeout_s + GRACE_S
        self.services = by_queue(children(settings.slots), children(settings.cores))
        self.workers = [
            _pool(settings.slots, self.worker_class, WAITING),
            _pool(settings.cores, self.worker_class, COMPUTING),
        ]
        self.settings = {
            "job_timeout_s": self._timeout_s,
            "result_ttl_s": self.result_ttl_s,
            "retry": RETRIES,
        }

    async def start(self) -> None:
        """Make the client, and the threads that publish."""
        await super().start()
        self._publishers = Publishers()

    def _publish(self, task: Task) -> None:
        queue = COMPUTING if KINDS[task.kind].computes else WAITING
        self._enqueue(task, queue, result_ttl=self.result_ttl_s, retry=Retry(max=RETRIES), description=RUN)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task from a thread of this strategy's own."""
        await self._publishers.run(self._publish, task)

    async def stop(self) -> None:
        """Wait for publishes under way and disconnect from Redis."""
        await self._publishers.close()
        await super().stop()


class RqDurable(RqTuned):
    """Durable: a job is retried whether it failed, its process died or its worker did, three times in all.

    It may run a second time, also when it has completed: it must be idempotent.
    """

    supervised = True
    worker_class = f"{DurableWorker.__module__}.{DurableWorker.__name__}"
    result_ttl_s = DURABLE_RESULT_S

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._timeout_s = TUNED_TIMEOUT_S
        self.window_s = hidden_s(settings) + LOOK_S
        self.workers = [["targets.supervisor", *pool] for pool in self.workers]
        self.settings = {
            **self.settings,
            "job_timeout_s": self._timeout_s,
            "maintenance_interval_s": LOOK_S,
            "heartbeat_ttl_s": hidden_s(settings),
            "accept_limit_s": ACCEPT_LIMIT_S,
        }

    def _client(self) -> redis.Redis:
        """Return a client that tries once: a second enqueue would be a second run."""
        bounds = {"socket_timeout": 2.0, "socket_connect_timeout": 1.0}
        return redis.Redis.from_url(REDIS_URL, retry=Again(NoBackoff(), 0), **bounds)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Enqueue the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), RedisError, OSError)
