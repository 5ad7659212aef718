"""What ARQ's workers run, in each variant: `arq targets.strategies.arq.worker.Tuned`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from arq import Retry

from results.terms import KINDS
from targets.lasting import WORKER_RETRIES
from targets.settings import Settings
from targets.strategies.arq.connection import SHIPPED, lasting_pool
from targets.strategies.arq.messages import from_json, to_json
from targets.task import MAX_DURATION_MS, Task
from targets.work import TaskFailedError, hang_up, perform, perform_async

SHIPPED_TIMEOUT_S, TUNED_TIMEOUT_S = 300.0, MAX_DURATION_MS / 1000 + 10
TUNED_POLL_S = 0.01
ATTEMPTS, DURABLE_TRIES = 3, 5
QUIET_LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"arq": {"level": "WARNING"}}}
_settings = Settings.from_environment()


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
        if attempt >= ATTEMPTS:
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


class Default:
    """As shipped, but for the serialiser: JSON instead of pickle."""

    functions = (run,)
    redis_settings = SHIPPED
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    job_timeout = _settings.job_timeout_s or SHIPPED_TIMEOUT_S
    on_shutdown = close_connections


class Tuned:
    """Polls 50 times as often, runs `slots` jobs, keeps no results; ARQ reads no inherited setting."""

    functions = (run_tuned,)
    redis_settings = SHIPPED
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    max_jobs = _settings.slots
    poll_delay = TUNED_POLL_S
    keep_result = 0
    job_timeout = _settings.job_timeout_s or TUNED_TIMEOUT_S
    on_startup = make_pool
    on_shutdown = close_pool


class Durable:
    """As tuned; ends only when its jobs have, and outlives short losses of its connection."""

    functions = (run_tuned,)
    redis_pool = lasting_pool(WORKER_RETRIES)
    redis_settings = SHIPPED
    """for `arq --check`, which does not look at the pool"""
    job_serializer = staticmethod(to_json)
    job_deserializer = staticmethod(from_json)
    max_jobs = _settings.slots
    poll_delay = TUNED_POLL_S
    keep_result = 0
    job_timeout = job_completion_wait = _settings.job_timeout_s or TUNED_TIMEOUT_S
    max_tries = DURABLE_TRIES
    retry_jobs = True
    on_startup = make_pool
    on_shutdown = close_pool
