"""Huey over Redis; by hand: `huey_consumer targets.strategies.huey.strategy.tuned -w 40 -g TERM`."""

import asyncio
import json
from typing import Any, ClassVar

from huey import RedisHuey
from huey.registry import Message
from huey.serializer import Serializer
from redis import ConnectionPool

from targets.queues import InTheCoroutine, OffTheLoop, commands
from targets.redis_server import RedisServer
from targets.serving import alike, pool
from targets.settings import Settings
from targets.task import Task, hex_id
from targets.work import perform

MODULE = "targets.strategies.huey.strategy"
CONSUMER = "huey.bin.huey_consumer"
TUNED_ATTEMPTS = 3
SOCKETS = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0, "health_check_interval": 10}
_server = RedisServer.parse(Settings.from_environment().redis_url)


class Json(Serializer):
    """Messages and results as JSON, where Huey would pickle."""

    def _serialize(self, data: Any) -> bytes:
        plain = data._asdict() if isinstance(data, Message) else data
        return json.dumps(plain, default=str).encode()

    def _deserialize(self, data: bytes) -> Any:
        value = json.loads(data)
        return Message(**value) if isinstance(value, dict) and "args" in value else value


def _huey(attempts: int, **options: Any) -> "RedisHuey":
    """Return an instance whose one task does what every strategy's task does."""
    made = RedisHuey("blockpoint", serializer=Json(), **options)

    def run(message: dict[str, Any], task: Any) -> None:
        perform(Task.from_message(message), attempts - task.retries)

    made.run = made.task(name="perform", context=True, retries=attempts - 1)(run)
    return made


default = _huey(1, url=_server.url)
tuned = _huey(TUNED_ATTEMPTS, results=False, connection_pool=ConnectionPool.from_url(_server.url, **SOCKETS))


class HueyDefault(InTheCoroutine):
    """As shipped: one thread; results are on, of which Huey keeps those that are not None, and failures."""

    queues = ("huey.redis.blockpoint", "huey.schedule.blockpoint")
    workers = commands([CONSUMER, f"{MODULE}.default"])
    huey: ClassVar["RedisHuey"] = default

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        self.services = alike(pool(1))
        self.settings = {"workers": 1, "worker_type": "thread", "results": True}

    def send(self, task: Task) -> None:
        """Publish the task, as a call of it does; Huey connects at the first."""
        self.huey.run(task.to_message(), id=hex_id(task.id))

    async def stop(self) -> None:
        """Close the connections to Redis."""
        await asyncio.to_thread(self.huey.storage.pool.disconnect)


class HueyTuned(OffTheLoop, HueyDefault):
    """Tuned: `slots` threads, no results, publishing off the event loop, three tries, a graceful SIGTERM."""

    max_attempts = TUNED_ATTEMPTS
    huey: ClassVar["RedisHuey"] = tuned

    def __init__(self, settings: Settings) -> None:
        slots = settings.slots
        self.services = alike(pool(slots))
        self.workers = [
            [CONSUMER, f"{MODULE}.tuned", "-w", str(slots), "-k", "thread", "-n", "-g", "TERM", "-q"]
        ]
        self.settings = {
            "workers": slots,
            "worker_type": "thread",
            "results": False,
            "graceful_signal": "TERM",
            "periodic": False,
            **SOCKETS,
        }
