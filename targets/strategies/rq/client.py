"""RQ as the API uses it: where jobs wait, how one is put there and how it is asked for."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from targets.strategies.rq.config import REDIS_URL
from targets.strategies.rq.jobs import RUN
from targets.task import Task, hex_id

STATES = {
    "queued": "accepted",
    "scheduled": "accepted",
    "started": "started",
    "finished": "finished",
    "failed": "failed",
}


def keys(*queues: str) -> list[str]:
    """Return where a queue's jobs wait, are handed over, and are being done."""
    return [
        key
        for queue in queues
        for key in (f"rq:queue:{queue}", f"rq:queue:{queue}:intermediate", f"rq:wip:{queue}")
    ]


def plain_client() -> redis.Redis:
    """Return a client, which connects at the first job."""
    return redis.Redis.from_url(REDIS_URL)


def client_that_tries_once() -> redis.Redis:
    """Return a client whose every wait is bounded: a second enqueue would be a second run."""
    bounds = {"socket_timeout": 2.0, "socket_connect_timeout": 1.0}
    return redis.Redis.from_url(REDIS_URL, retry=Retry(NoBackoff(), 0), **bounds)


def enqueue(client: redis.Redis, queue: str, task: Task, timeout_s: float, **options: Any) -> None:
    """Enqueue a task as a job of its id."""
    target = Queue(queue, connection=client, serializer=JSONSerializer)
    limit_s = max(1, int(timeout_s))
    target.enqueue(RUN, task.to_message(), job_id=hex_id(task.id), job_timeout=limit_s, **options)


def state(client: redis.Redis, task_id: int) -> str | None:
    """Return the job's status; None where RQ keeps none (any more)."""
    try:
        job = Job.fetch(hex_id(task_id), connection=client, serializer=JSONSerializer)
    except NoSuchJobError:
        return None
    return STATES.get(job.get_status(refresh=False).value)
