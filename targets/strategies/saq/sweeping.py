"""A queue of SAQ that gives back what dead workers held promptly, and spares what lives.

SAQ's own sweep waits up to 5 s for each job that it takes, one after the other; takes one that a worker has
just fetched for abandoned; and ends at the first that it cannot read, each time again.
"""

import json
import logging
from typing import Any, TypedDict

import msgspec
from saq.job import Job, Status
from saq.queue.redis import RedisQueue

_log = logging.getLogger(__name__)


class Read(TypedDict, total=False):
    """What SAQ reads of a job before it is prepared for surprises."""

    queue: str
    function: str
    kwargs: dict[str, Any] | None
    key: str
    status: str
    error: str | None
    meta: dict[str, Any]
    timeout: float
    heartbeat: float
    retries: int
    ttl: int
    retry_delay: float
    scheduled: int
    attempts: int
    queued: int
    started: int
    touched: int


def from_json(blob: bytes) -> Any:
    """Read a job; raises ValueError for what SAQ would stumble over later."""
    value = json.loads(blob)
    msgspec.convert(value, Read)
    return value


class SweptQueue(RedisQueue):
    """SAQ's queue with a sweep of its own."""

    def __init__(self, redis: Any, **options: Any) -> None:
        super().__init__(redis, load=from_json, **options)
        self._fetched: set[bytes] = set()
        """fetched and not begun, at the last look: a worker begins within milliseconds"""

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:  # noqa: ARG002
        """Give back the jobs of dead workers, or give up those whose tries are used up; returns their ids."""
        if not await self.redis.set(self._sweep, 1, ex=lock, nx=True):
            return []
        swept: list[str] = []
        fetched: set[bytes] = set()
        for job_id in await self.redis.lrange(self._active, 0, -1):
            job = self._read(job_id, await self.redis.get(job_id))
            if job is None:
                await self._drop(job_id)
            elif job.stuck or (job.status == Status.QUEUED and job_id in self._fetched):
                swept.append(job.id)
                await self._release(job)
            elif job.status == Status.QUEUED:
                fetched.add(job_id)
        self._fetched = fetched
        return swept

    async def _release(self, job: Job) -> None:
        if job.retryable:
            await self.retry(job, self.swept_error_message)
        else:
            await self.finish(job, Status.ABORTED, error=self.swept_error_message)

    def _read(self, job_id: bytes, blob: bytes | None) -> Job | None:
        try:
            job = self.deserialize(blob)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            _log.error("dropped a job that cannot be read: %.200r: %s", job_id, error)
            return None
        return job if job and job.id.encode() == job_id else None

    async def _drop(self, job_id: bytes) -> None:
        """Forget a job that has ended, or that nobody can read."""
        async with self.redis.pipeline(transaction=True) as pipe:
            await pipe.lrem(self._active, 0, job_id).zrem(self._incomplete, job_id).execute()
