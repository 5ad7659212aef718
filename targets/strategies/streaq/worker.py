"""streaQ's worker of each variant, by which tasks are enqueued too: `streaq run MODULE:tuned`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from streaq import StreaqRetry, Worker

from targets.settings import Settings
from targets.strategies.streaq.connection import DURABLE_RETRIES, SHIPPED_RETRIES, pool
from targets.task import MAX_DURATION_MS, Task
from targets.work import TaskFailedError, perform, perform_async

SHIPPED_IDLE_S, DURABLE_IDLE_S = 60.0, 15.0
ATTEMPTS, DURABLE_TRIES = 3, 5
GRACE_S = MAX_DURATION_MS // 1000 + 10
_settings = Settings.from_environment()


def to_json(value: Any) -> str:
    """Serialise a task or its result; an exception becomes its text."""
    return json.dumps(value, default=str)


def idle_s(settings: Settings, own: float) -> float:
    """Return after how long without a sign of life a task is taken from its worker."""
    return settings.visibility_s or own


def _worker(attempts: int, options: Mapping[str, Any], retries: Any, **settings: Any) -> "Worker[None]":
    """Return a worker that knows the tasks `wait` and `compute`."""
    made: Worker[None] = Worker(
        serializer=to_json, deserializer=json.loads, redis_kwargs={"retry_policy": retries}, **settings
    )

    async def wait(message: dict[str, Any]) -> None:
        with _tried(waiting.context.tries, attempts) as attempt:
            await perform_async(Task.from_message(message), attempt)

    def compute(message: dict[str, Any]) -> None:
        with _tried(computing.context.tries, attempts) as attempt:
            perform(Task.from_message(message), attempt)

    waiting = made.task(name="wait", **options)(wait)
    computing = made.task(name="compute", **options)(compute)
    return made


@contextmanager
def _tried(attempt: int, attempts: int) -> Iterator[int]:
    """Give the number of this try; streaQ tries again only what asks for it, and ends all other failures."""
    try:
        yield attempt
    except TaskFailedError:
        if attempt >= attempts:
            raise
        raise StreaqRetry(delay=0) from None


default = _worker(1, {}, SHIPPED_RETRIES, redis_pool=pool(), idle_timeout=idle_s(_settings, SHIPPED_IDLE_S))
tuned = _worker(
    ATTEMPTS,
    {"max_tries": ATTEMPTS, "ttl": 0, "silent": True},
    SHIPPED_RETRIES,
    redis_pool=pool(),
    concurrency=_settings.slots,
    prefetch=1,
    idle_timeout=idle_s(_settings, SHIPPED_IDLE_S),
)
durable = _worker(
    ATTEMPTS,
    {"max_tries": DURABLE_TRIES, "ttl": 0, "silent": True},
    DURABLE_RETRIES,
    # a worker's read waits on the server for as long as `idle_timeout`
    redis_pool=pool(connect_timeout=1.0, stream_timeout=idle_s(_settings, DURABLE_IDLE_S) + 5),
    concurrency=_settings.slots,
    prefetch=1,
    idle_timeout=idle_s(_settings, DURABLE_IDLE_S),
    grace_period=GRACE_S,
)
