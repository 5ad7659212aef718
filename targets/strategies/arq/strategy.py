"""ARQ over Redis; by hand: `arq targets.strategies.arq.strategy.TunedWorker`."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from arq import Retry, create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.jobs import Job, JobStatus
from fastapi import BackgroundTasks
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry as Backoff
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import publish_within
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.arq.checked_redis import CheckedRedis
from targets.strategies.arq.messages import from_json, to_json
from targets.task import MAX_DURATION_MS, Task, hex_id
from targets.work import TaskFailedError, hang_up, perform, perform_async

MODULE = "targets.strategies.arq.strategy"
SHIPPED_JOBS, SHIPPED_POLL_S = 10, 0.5
TUNED_POLL_S = 0.01
TUNED_ATTEMPTS = 3
SHIPPED_TIMEOUT_S = 300.0
TUNED_TIMEOUT_S = MAX_DURATION_MS / 1000 + 10
IN_PROGRESS_S = 10.0
"""ARQ's claim on a job outlives `job_timeout` by that"""
DURABLE_TRIES = 5
WORKER_RETRIES = 15
"""about 11 s while connections are refused: long enough for a server to start again"""
ACCEPT_LIMIT_S = 3.0
_settings = Settings.from_environment()
_server = RedisServer.parse(_settings.redis_url)


def settings_of(server: RedisServer) -> RedisSettings:
    """Return what ARQ's `from_dsn` would, if it decoded percent signs and knew TLS's options."""
    return RedisSettings(
        host=server.host,
        port=server.port,
        unix_socket_path=server.path or None,
        database=server.database,
        username=server.username or None,
        password=server.password or None,
        ssl=bool(server.tls),
        **server.tls,
    )


def read_limit(max_jobs: int) -> int:
    """Return how many jobs ARQ's worker claims at one look: 5 * max_jobs, at least 100."""
    return max(5 * max_jobs, 100)


async def run(ctx: dict[str, Any], message: dict[str, Any]) -> None:
    """Do the task on the worker's event loop, once."""
    await perform_async(Task.from_message(message), ctx["job_try"])


async def run_tuned(ctx: dict[str, Any], message: dict[str, Any]) -> None:
    """Do the task, computing in a thread, and retry it where it fails."""
    task, attempt = Task.from_message(message), ctx["job_try"]
    try:
        if KINDS[task.kind].awaited:
            await perform_async(task, attempt)
        else:
            await asyncio.get_running_loop().run_in_executor(ctx["pool"], perform, task, attempt)
    except TaskFailedError:
        if attempt >= TUNED_ATTEMPTS:
            raise
        raise Retry(defer=0) from None


async def make_pool(ctx: dict[str, Any]) -> None:
    """Make the threads that compute."""
    ctx["pool"] = ThreadPoolExecutor(_settings.slots)


async def close_pool(ctx: dict[str, Any]) -> None:
    """Wait for the threads that compute, and close what tasks were connected to."""
    ctx["pool"].shutdown()
    await hang_up()


async def close_connections(_ctx: dict[str, Any]) -> None:
    """Close what tasks were connected to."""
    await hang_up()


class DefaultWorker:
    """As shipped, but for the serialiser: JSON instead of pickle."""

    functions = (run,)
    redis_settings = settings_of(_server)
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    job_timeout = _settings.job_timeout_s or SHIPPED_TIMEOUT_S
    on_shutdown = close_connections


class TunedWorker:
    """Polls 50 times as often, runs `slots` jobs, keeps no results; ARQ reads no inherited setting."""

    functions = (run_tuned,)
    redis_settings = DefaultWorker.redis_settings
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    max_jobs = _settings.slots
    poll_delay = TUNED_POLL_S
    keep_result = 0
    job_timeout = _settings.job_timeout_s or TUNED_TIMEOUT_S
    on_startup = make_pool
    on_shutdown = close_pool


def lasting_pool(retries: int) -> ArqRedis:
    """Return a client whose every wait is bounded; it connects when it is first used.

    ARQ's own `RedisSettings` have no time-out for an established connection.
    """
    over_tcp = {} if _server.path else {"socket_keepalive": True}
    connections: ConnectionPool = ConnectionPool.from_url(
        _server.url,
        socket_timeout=5.0,
        socket_connect_timeout=1.0,
        **over_tcp,
        health_check_interval=10,
        retry=Backoff(ExponentialBackoff(cap=1.0, base=0.05), retries=retries),
        # redis-py retries to connect only after errors of its own, unless told of the socket's
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )
    return CheckedRedis(connections, job_serializer=to_json, job_deserializer=from_json)


class DurableWorker:
    """As tuned; ends only when its jobs have, and outlives short losses of its connection."""

    functions = (run_tuned,)
    redis_pool = lasting_pool(retries=WORKER_RETRIES)
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    max_jobs = _settings.slots
    poll_delay = TUNED_POLL_S
    keep_result = 0
    job_timeout = _settings.job_timeout_s or TUNED_TIMEOUT_S
    job_completion_wait = _settings.job_timeout_s or TUNED_TIMEOUT_S
    max_tries = DURABLE_TRIES
    retry_jobs = True
    on_startup = make_pool
    on_shutdown = close_pool


QUIET = f"{MODULE}.QUIET_LOGGING"
QUIET_LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"arq": {"level": "WARNING"}}}


class _Arq:
    """What both variants do in the web process."""

    queues: Sequence[str] = ("arq:queue",)
    supervised = False
    function: str
    window_s: float

    async def start(self) -> None:
        """Connect to Redis."""
        self._redis = await create_pool(
            settings_of(_server), job_serializer=to_json, job_deserializer=from_json
        )

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task."""
        await self._redis.enqueue_job(self.function, task.to_message(), _job_id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:
        """Return ARQ's own state of the job; None where it keeps none."""
        job = Job(hex_id(task_id), self._redis, _deserializer=from_json)
        status = await job.status()
        if status is JobStatus.complete:
            result = await job.result_info()
            return None if result is None else "finished" if result.success else "failed"
        known = {
            JobStatus.queued: "accepted",
            JobStatus.deferred: "accepted",
            JobStatus.in_progress: "started",
        }
        return known.get(status)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose()


class ArqDefault(_Arq):
    """As shipped: ten jobs at once, claimed every half second."""

    function = run.__name__
    workers: Sequence[Sequence[str]] = [["arq", f"{MODULE}.{DefaultWorker.__name__}"]]
    max_attempts = 1

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.job_timeout_s or SHIPPED_TIMEOUT_S
        self.window_s = timeout_s + IN_PROGRESS_S
        on_the_loop = Service(law="loop", slots=1)
        limit = read_limit(SHIPPED_JOBS)
        polled = Service(law="poll", slots=SHIPPED_JOBS, poll_s=SHIPPED_POLL_S, read_limit=limit)
        self.services: Mapping[str, Service] = {
            "sleep": polled,
            "cpu": on_the_loop,
            "cpu_native": on_the_loop,
        }
        self.settings: Mapping[str, Any] = {
            "max_jobs": SHIPPED_JOBS,
            "poll_delay": SHIPPED_POLL_S,
            "job_timeout": timeout_s,
        }


class ArqTuned(_Arq):
    """Tuned: `slots` jobs at once, claimed every 10 ms, computing in threads."""

    function = run_tuned.__name__
    workers: Sequence[Sequence[str]] = [
        ["arq", f"{MODULE}.{TunedWorker.__name__}", "--custom-log-dict", QUIET]
    ]
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.job_timeout_s or TUNED_TIMEOUT_S
        self.window_s = timeout_s + IN_PROGRESS_S
        in_threads = Service(law="pool", slots=settings.slots)
        self.services: Mapping[str, Service] = {
            "sleep": Service(
                law="poll", slots=settings.slots, poll_s=TUNED_POLL_S, read_limit=read_limit(settings.slots)
            ),
            "cpu": in_threads,
            "cpu_native": in_threads,
        }
        self.settings: Mapping[str, Any] = {
            "max_jobs": settings.slots,
            "poll_delay": TUNED_POLL_S,
            "keep_result": 0,
            "job_timeout": timeout_s,
            "log_level": "WARNING",
        }


class ArqDurable(ArqTuned):
    """Durable: as tuned, under a supervisor, with bounded waits in the API and an orderly end.

    A job may run a second time, also one that has completed: it must be idempotent. One that kills its worker
    is dropped after `DURABLE_TRIES` starts, and every other job of that worker loses a try with it.
    """

    workers: Sequence[Sequence[str]] = [
        ["targets.supervisor", "arq", f"{MODULE}.{DurableWorker.__name__}", "--custom-log-dict", QUIET]
    ]
    supervised = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = {
            **self.settings,
            "max_tries": DURABLE_TRIES,
            "job_completion_wait": self.window_s - IN_PROGRESS_S,
            "accept_limit_s": ACCEPT_LIMIT_S,
        }

    async def start(self) -> None:
        """Make the client, which connects at the first task: the API starts without its broker."""
        self._redis = lasting_pool(retries=1)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Enqueue the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), RedisError, OSError)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose(close_connection_pool=True)
