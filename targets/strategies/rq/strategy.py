"""RQ over Redis; by hand: `rq worker --config targets.strategies.rq.config --serializer json`."""

import asyncio

import redis
from redis.exceptions import RedisError
from rq import Retry

from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import COMPUTING, WAITING, Durable, InTheCoroutine, OffTheLoop, queue_of, under_supervisor
from targets.serving import alike, by_queue, children
from targets.settings import Settings
from targets.strategies.rq.client import client_that_tries_once, enqueue, keys, plain_client, state
from targets.strategies.rq.jobs import RETRIES, RUN
from targets.strategies.rq.workers import LOOK_S, DurableWorker, hidden_s
from targets.task import MAX_DURATION_MS, Task

SHIPPED_TIMEOUT_S = 180.0
TUNED_TIMEOUT_S = MAX_DURATION_MS / 1000 + 10
SIGN_OF_LIFE_S = 30.0
GRACE_S = 60.0
"""how much later than the next sign of life RQ takes a job for abandoned"""
DURABLE_RESULT_S = 60
"""with none, RQ 3.0 fails to delete a job that was once abandoned, and runs again what has completed"""
SHIPPED_QUEUE = "default"
OPTIONS = ["--config", "targets.strategies.rq.config", "--serializer", "json", "--quiet"]


class RqDefault(InTheCoroutine):
    """As shipped: one worker, a process a job, one at a time; `.enqueue()` called in the coroutine."""

    queues = keys(SHIPPED_QUEUE)

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.job_timeout_s or SHIPPED_TIMEOUT_S
        self.window_s = min(self._timeout_s, SIGN_OF_LIFE_S) + GRACE_S
        self.services = alike(children(1))
        self.workers = [["rq.cli", "worker", *OPTIONS]]
        self.settings = {"job_timeout_s": self._timeout_s, "results": "redis"}

    def _client(self) -> redis.Redis:
        return plain_client()

    async def start(self) -> None:
        """Make the client, which connects at the first job."""
        self._redis = self._client()

    def send(self, task: Task) -> None:
        """Enqueue the task, as a call of `.enqueue()` does."""
        enqueue(self._redis, SHIPPED_QUEUE, task, self._timeout_s)

    async def state(self, task_id: int) -> str | None:
        """Return the job's status; None where RQ keeps none (any more)."""
        return await asyncio.to_thread(state, self._redis, task_id)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await asyncio.to_thread(self._redis.close)


def _pool(workers: int, kind: str, queue: str) -> list[str]:
    return ["rq.cli", "worker-pool", *OPTIONS, "--worker-class", kind, "--num-workers", str(workers), queue]


class RqTuned(OffTheLoop, RqDefault):
    """Tuned: no results, publishing off the event loop, pools of workers that do not fork."""

    queues = keys(WAITING, COMPUTING)
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

    def send(self, task: Task) -> None:
        """Enqueue the task in the queue of its kind."""
        kept = {"result_ttl": self.result_ttl_s, "retry": Retry(max=RETRIES), "description": RUN}
        enqueue(self._redis, queue_of(task), task, self._timeout_s, **kept)


class RqDurable(Durable, RqTuned):
    """Durable: a job is retried whether it failed, its process died or its worker did, three times in all.

    It may run a second time, also when it has completed: it must be idempotent.
    """

    unreachable = (RedisError, OSError)
    worker_class = f"{DurableWorker.__module__}.{DurableWorker.__name__}"
    result_ttl_s = DURABLE_RESULT_S

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._timeout_s = TUNED_TIMEOUT_S
        self.window_s = hidden_s(settings) + LOOK_S
        self.workers = under_supervisor(*self.workers)
        self.settings = {
            **self.settings,
            "job_timeout_s": self._timeout_s,
            "maintenance_interval_s": LOOK_S,
            "heartbeat_ttl_s": hidden_s(settings),
            "accept_limit_s": ACCEPT_LIMIT_S,
        }

    def _client(self) -> redis.Redis:
        return client_that_tries_once()
