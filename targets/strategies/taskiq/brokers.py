"""taskiq's brokers; by hand: `taskiq worker targets.strategies.taskiq.brokers:default`."""

import asyncio
import contextlib
import os
from typing import Annotated, Any

from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from taskiq import AsyncBroker, Context, SendTaskError, SimpleRetryMiddleware, TaskiqDepends, TaskiqEvents
from taskiq.serializers import JSONSerializer
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker

from targets.queues import COMPUTING, WAITING
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.supervisor import die_with
from targets.task import MAX_DURATION_MS, Task
from targets.work import perform_async

TASK, LOOK = "blockpoint.perform", "blockpoint.look"
ATTEMPTS = 3
SHIPPED_IDLE_S = 600.0
DURABLE_IDLE_S = MAX_DURATION_MS / 1000 + 30
"""longer than the longest task, which would run twice"""
_settings = Settings.from_environment()
_url = RedisServer.parse(_settings.redis_url).url
FROM_THE_FIRST = "0"
"""where consumer groups begin; with its own `$`, one made anew after the broker lost its data skips tasks"""
DURABLE: dict[str, Any] = {
    "xread_count": 1,
    "unacknowledged_batch_size": _settings.slots,
    "unacknowledged_lock_timeout": 10.0,
    "socket_timeout": 5.0,
    "socket_connect_timeout": 1.0,
    "health_check_interval": 10,
}


async def run(message: dict[str, Any], context: Annotated[Context, TaskiqDepends()]) -> None:
    """Do the task on the worker's event loop."""
    await perform_async(Task.from_message(message), int(context.message.labels.get("_retries", 0)) + 1)


async def look() -> None:
    """Do nothing: a stream broker takes back what was abandoned only when it has fetched something new."""


def _idle_ms(shipped_s: float) -> int:
    return int((_settings.visibility_s or shipped_s) * 1000)


def _retrying(broker: AsyncBroker) -> AsyncBroker:
    broker.register_task(run, TASK)
    return broker.with_middlewares(SimpleRetryMiddleware(ATTEMPTS, default_retry_label=True))


def _default() -> AsyncBroker:
    results = RedisAsyncResultBackend(_url, serializer=JSONSerializer())
    broker = RedisStreamBroker(
        _url, consumer_id=FROM_THE_FIRST, idle_timeout=_idle_ms(SHIPPED_IDLE_S)
    ).with_result_backend(results)
    broker.register_task(run, TASK)
    return broker


def _tuned(queue: str) -> AsyncBroker:
    """Return a list broker; redis-py 8 has a socket time-out of 5 s, which would end its idle worker."""
    return _retrying(ListQueueBroker(_url, queue_name=queue, socket_timeout=None))


def _durable(queue: str) -> AsyncBroker:
    """Return a stream broker whose every wait is bounded and which fetches what it can start at once."""
    retry = Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=15)
    broker = RedisStreamBroker(
        _url,
        queue,
        consumer_id=FROM_THE_FIRST,
        idle_timeout=_idle_ms(DURABLE_IDLE_S),
        retry=retry,
        **DURABLE,
    )
    broker.register_task(look, LOOK)

    async def begin(state: Any) -> None:
        die_with(os.getppid())
        state.looking = asyncio.create_task(_look_again(broker))

    broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, begin)
    return _retrying(broker)


async def _look_again(broker: AsyncBroker) -> None:
    """Have the broker look as soon as what a dead worker held may be taken back, and ever again."""
    while True:
        await asyncio.sleep(_idle_ms(DURABLE_IDLE_S) / 1000)
        with contextlib.suppress(SendTaskError):
            await broker.find_task(LOOK).kiq()


default = _default()
tuned_waiting, tuned_computing = _tuned(WAITING), _tuned(COMPUTING)
durable_waiting, durable_computing = _durable(WAITING), _durable(COMPUTING)
