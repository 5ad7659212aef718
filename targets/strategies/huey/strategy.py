"""Huey over Redis; by hand: `huey_consumer targets.strategies.huey.strategy.tuned -w 40 -g TERM`."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fastapi import BackgroundTasks
from huey import RedisHuey
from huey.registry import Message
from huey.serializer import Serializer
from redis import ConnectionPool

from results.schema import Service
from results.terms import KINDS
from targets.publishing import Publishers
from targets.redis_server import RedisServer
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


class HueyDefault:
    """As shipped: one thread; results are on, of which Huey keeps those that are not None, and failures."""

    queues: Sequence[str] = ("huey.redis.blockpoint", "huey.schedule.blockpoint")
    workers: Sequence[Sequence[str]] = [[CONSUMER, f"{MODULE}.default"]]
    max_attempts = 1
    supervised = False
    window_s = 0.0
    huey: ClassVar["RedisHuey"] = default

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        self.services: Mapping[str, Service] = {kind: Service(law="pool", slots=1) for kind in KINDS}
        self.settings: Mapping[str, Any] = {"workers": 1, "worker_type": "thread", "results": True}

    async def start(self) -> None:
        """Do nothing: Huey connects at the first publish."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task, blocking the event loop meanwhile, as a call of the task does."""
        self._publish(task)

    def _publish(self, task: Task) -> None:
        self.huey.run(task.to_message(), id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: Huey knows a task by its result, and these have none."""
        return None

    async def stop(self) -> None:
        """Close the connections to Redis."""
        await asyncio.to_thread(self.huey.storage.pool.disconnect)


class HueyTuned(HueyDefault):
    """Tuned: `slots` threads, no results, publishing off the event loop, three tries, a graceful SIGTERM."""

    max_attempts = TUNED_ATTEMPTS
    huey: ClassVar["RedisHuey"] = tuned

    def __init__(self, settings: Settings) -> None:
        slots = settings.slots
        self.services = {kind: Service(law="pool", slots=slots) for kind in KINDS}
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

    async def start(self) -> None:
        """Make the threads that publish."""
        self._publishers = Publishers()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread of this strategy's own."""
        await self._publishers.run(self._publish, task)

    async def stop(self) -> None:
        """Wait for publishes under way and close the connections to Redis."""
        await self._publishers.close()
        await super().stop()
