"""ARQ over Redis; by hand: `arq targets.strategies.arq.worker.Tuned`."""

from arq import create_pool
from arq.jobs import Job, JobStatus
from redis.exceptions import RedisError

from results.schema import Service
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import Durable, Queue, commands, under_supervisor
from targets.serving import by_kind, pool
from targets.settings import Settings
from targets.strategies.arq import worker
from targets.strategies.arq.connection import SERIALISERS, SHIPPED, lasting_pool
from targets.strategies.arq.messages import from_json
from targets.task import Task, hex_id

SHIPPED_JOBS, SHIPPED_POLL_S = 10, 0.5
IN_PROGRESS_S = 10.0
"""ARQ's claim on a job outlives `job_timeout` by that"""
QUIET = ["--custom-log-dict", f"{worker.__name__}.QUIET_LOGGING"]
STATES = {JobStatus.queued: "accepted", JobStatus.deferred: "accepted", JobStatus.in_progress: "started"}


def polled(jobs: int, poll_s: float) -> Service:
    """Return how a worker of so many jobs serves: at one look it claims 5 * jobs, at least 100."""
    return Service(law="poll", slots=jobs, poll_s=poll_s, read_limit=max(5 * jobs, 100))


class ArqDefault(Queue):
    """As shipped: ten jobs at once, claimed every half second."""

    queues = ("arq:queue",)
    workers = commands(["arq", f"{worker.__name__}.Default"])
    function = worker.run.__name__

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.job_timeout_s or worker.SHIPPED_TIMEOUT_S
        self.window_s = timeout_s + IN_PROGRESS_S
        waiting = polled(SHIPPED_JOBS, SHIPPED_POLL_S)
        self.services = by_kind(waiting, Service(law="loop", slots=1))
        self.settings = {
            "max_jobs": SHIPPED_JOBS,
            "poll_delay": SHIPPED_POLL_S,
            "job_timeout": timeout_s,
        }

    async def start(self) -> None:
        """Connect to Redis."""
        self._redis = await create_pool(SHIPPED, **SERIALISERS)

    async def publish(self, task: Task) -> None:
        """Enqueue the task."""
        await self._redis.enqueue_job(self.function, task.to_message(), _job_id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:
        """Return ARQ's own state of the job; None where it keeps none."""
        job = Job(hex_id(task_id), self._redis, _deserializer=from_json)
        status = await job.status()
        if status is JobStatus.complete:
            result = await job.result_info()
            return None if result is None else "finished" if result.success else "failed"
        return STATES.get(status)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose()


class ArqTuned(ArqDefault):
    """Tuned: `slots` jobs at once, claimed every 10 ms, computing in threads."""

    workers = commands(["arq", f"{worker.__name__}.Tuned", *QUIET])
    function = worker.run_tuned.__name__
    max_attempts = worker.ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.job_timeout_s or worker.TUNED_TIMEOUT_S
        self.window_s = timeout_s + IN_PROGRESS_S
        waiting = polled(settings.slots, worker.TUNED_POLL_S)
        self.services = by_kind(waiting, pool(settings.slots))
        self.settings = {
            "max_jobs": settings.slots,
            "poll_delay": worker.TUNED_POLL_S,
            "keep_result": 0,
            "job_timeout": timeout_s,
            "log_level": "WARNING",
        }


class ArqDurable(Durable, ArqTuned):
    """Durable: as tuned, under a supervisor, with bounded waits in the API and an orderly end.

    A job may run a second time, also one that has completed: it must be idempotent. One that kills its worker
    is dropped after `DURABLE_TRIES` starts, and every other job of that worker loses a try with it.
    """

    workers = under_supervisor(["arq", f"{worker.__name__}.Durable", *QUIET])
    unreachable = (RedisError, OSError)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = {
            **self.settings,
            "max_tries": worker.DURABLE_TRIES,
            "job_completion_wait": self.window_s - IN_PROGRESS_S,
            "accept_limit_s": ACCEPT_LIMIT_S,
        }

    async def start(self) -> None:
        """Make the client, which connects at the first task: the API starts without its broker."""
        self._redis = lasting_pool(retries=1)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose(close_connection_pool=True)
