"""dramatiq's brokers; by hand: `dramatiq targets.strategies.dramatiq.brokers:default`."""

import os
from collections.abc import Sequence
from typing import Any

import redis
from dramatiq import Actor, Middleware
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from targets.queues import COMPUTING, WAITING
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.supervisor import die_with
from targets.task import Task
from targets.work import perform

ATTEMPTS = 3
SHIPPED_HEARTBEAT_S = 60.0
DURABLE_HEARTBEAT_S = 30.0
SHIPPED_QUEUE = "default"
_settings = Settings.from_environment()
_url = RedisServer.parse(_settings.redis_url).url
ALWAYS = 1_000_000
"""of a million commands, those that look for dead workers"""


def run(message: dict[str, Any]) -> None:
    """Do the task in a thread of the worker."""
    options = CurrentMessage.get_current_message().options
    perform(Task.from_message(message), options.get("retries", 0) + 1)


class EndTogether(Middleware):
    """Lets no process outlive the one that started it: its tasks would run on beside their redelivery."""

    def after_process_boot(self, broker: RedisBroker) -> None:  # noqa: ARG002
        """Tie this process to its parent."""
        die_with(os.getppid())


def _heartbeat_ms(shipped_s: float) -> int:
    return int((_settings.visibility_s or shipped_s) * 1000)


def _with_actors(broker: RedisBroker, queues: Sequence[str], attempts: int) -> RedisBroker:
    """Return the broker with the task as an actor of each queue: named by the queue, retried at once."""
    broker.add_middleware(CurrentMessage())
    for queue in queues:
        options = {"max_retries": attempts - 1, "min_backoff": 1}
        Actor(run, broker=broker, actor_name=queue, queue_name=queue, priority=0, options=options)
    return broker


def _shipped() -> RedisBroker:
    return RedisBroker(url=_url, heartbeat_timeout=_heartbeat_ms(SHIPPED_HEARTBEAT_S))


def _durable() -> RedisBroker:
    """Return a broker whose every wait is bounded and which always looks for dead workers."""
    client = redis.Redis.from_url(
        _url,
        socket_timeout=5.0,
        socket_connect_timeout=1.0,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=15),
    )
    heartbeat_ms = _heartbeat_ms(DURABLE_HEARTBEAT_S)
    broker = RedisBroker(client=client, heartbeat_timeout=heartbeat_ms, maintenance_chance=ALWAYS)
    broker.add_middleware(EndTogether())
    return broker


default = _with_actors(_shipped(), [SHIPPED_QUEUE], 1)
tuned = _with_actors(_shipped(), [WAITING, COMPUTING], ATTEMPTS)
durable = _with_actors(_durable(), [WAITING, COMPUTING], ATTEMPTS)
