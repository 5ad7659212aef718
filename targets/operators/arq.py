"""What ARQ lets an operator see: jobs, their results, the queue's keys and the worker's health check."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from arq import create_pool
from arq.connections import ArqRedis
from arq.constants import default_queue_name, health_check_key_suffix, in_progress_key_prefix
from arq.jobs import Job, JobStatus, SerializationError

from targets.operators.operator import (
    CANCELLED,
    FAILED,
    FINISHED,
    NO,
    NOTHING,
    RAN,
    RUNNING,
    UNHEARD_OF,
    WAITING,
    YES,
    Asked,
    Operator,
    Said,
    timed,
)
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.arq import from_json, settings_of, to_json

ABORT_TIMEOUT_S = 1.0
HEALTH = default_queue_name + health_check_key_suffix
STATES = {
    JobStatus.deferred: WAITING,
    JobStatus.queued: WAITING,
    JobStatus.in_progress: RUNNING,
    JobStatus.not_found: UNHEARD_OF,
}


class ArqOperator(Operator):
    """Asks through a pool of connections like the web process's."""

    def __init__(self, server: RedisServer) -> None:
        self._loop = asyncio.Runner()
        self._redis: ArqRedis = self._loop.run(
            create_pool(settings_of(server), job_serializer=to_json, job_deserializer=from_json)
        )

    def state(self, task_id: str) -> Iterator[Asked]:
        """Ask for the job's status, and for its result where it is complete."""

        async def ask() -> Said:
            status = await self._job(task_id).status()
            if status is not JobStatus.complete:
                return status.value, STATES[status]
            result = await self._job(task_id).result_info()
            if result is None:
                return status.value, ""
            return f"{status.value}, success={result.success}", FINISHED if result.success else FAILED

        yield timed("Job.status, result_info", lambda: self._loop.run(ask()))

    def reason(self, task_id: str) -> Iterator[Asked]:
        """Ask for what the job raised."""

        async def ask() -> Said:
            result = await self._job(task_id).result_info()
            return NOTHING if result is None or result.success else (str(result.result), str(result.result))

        yield timed("Job.result_info", lambda: self._loop.run(ask()))

    def depth(self) -> Iterator[Asked]:
        """Ask for the queue, the queue without what is in progress, and the worker's own count."""

        async def in_queue() -> Said:
            return _counted(len(await self._redis.queued_jobs()))

        async def not_in_progress() -> Said:
            running = len(await self._redis.keys(f"{in_progress_key_prefix}*"))
            return _counted(int(await self._redis.zcard(default_queue_name)) - running)

        yield timed("ArqRedis.queued_jobs", lambda: self._loop.run(in_queue()))
        yield timed(
            f"ZCARD {default_queue_name} - keys {in_progress_key_prefix}*",
            lambda: self._loop.run(not_in_progress()),
        )
        yield self._in_health("queued")

    def failures(self) -> Iterator[Asked]:
        """Count the results that tell of a failure, and ask for the worker's own count."""

        async def kept() -> Said:
            results = await self._redis.all_job_results()
            return _counted(sum(not result.success for result in results)) if results else NOTHING

        yield timed("ArqRedis.all_job_results", lambda: self._loop.run(kept()))
        yield self._in_health("j_failed")

    def workers(self) -> Iterator[Asked]:
        """Look for the key that `arq --check` looks for."""

        async def look() -> Said:
            words = await self._health()
            return (words, YES) if words else ("no key", NO)

        yield timed("arq --check", lambda: self._loop.run(look()))

    def cancel(self, task_id: str) -> Iterator[Asked]:
        """Ask for the job to be aborted, and wait for its end for a second."""

        async def abort() -> Said:
            aborted = await self._job(task_id).abort(timeout=ABORT_TIMEOUT_S)
            return str(aborted), CANCELLED if aborted else RAN

        yield timed("Job.abort", lambda: self._loop.run(abort()), TimeoutError, SerializationError)

    def _job(self, task_id: str) -> Job:
        return Job(task_id, self._redis, _deserializer=from_json)

    def _in_health(self, name: str) -> Asked:
        async def look() -> Said:
            found = re.search(rf"\b{name}=(\d+)", await self._health())
            return (found[0], found[1]) if found else NOTHING

        return timed(f"key {HEALTH}", lambda: self._loop.run(look()))

    async def _health(self) -> str:
        value: Any = await self._redis.get(HEALTH)
        return value.decode() if value else ""


def operator(_variant: str) -> ArqOperator:
    """Return who asks; all variants share one queue."""
    return ArqOperator(RedisServer.parse(Settings.from_environment().redis_url))


def _counted(number: int) -> Said:
    return str(number), str(number)
