"""dramatiq over Redis."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from dramatiq.brokers.redis import RedisBroker
from fastapi import BackgroundTasks
from redis.exceptions import RedisError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, Publishers, publish_within
from targets.serving import by_queue, children
from targets.settings import Settings
from targets.strategies.dramatiq import brokers
from targets.strategies.dramatiq.worker import WORKER_TIMEOUT_MS
from targets.task import Task, hex_id

SHIPPED_THREADS = 8


def _keys(queues: Sequence[str]) -> list[str]:
    """Return where messages stand until they are acknowledged, those that wait for a retry too."""
    return [f"dramatiq:{queue}{delayed}.msgs" for queue in queues for delayed in ("", ".DQ")]


class DramatiqDefault:
    """As shipped but for its 20 retries: `.send()` called in the coroutine, eight threads a core."""

    queues: Sequence[str] = _keys([brokers.SHIPPED_QUEUE])
    max_attempts = 1
    supervised = False
    broker: RedisBroker = brokers.default

    def __init__(self, settings: Settings) -> None:
        processes = os.cpu_count() or 1
        self.window_s = settings.visibility_s or brokers.SHIPPED_HEARTBEAT_S
        threads = Service(law="pool", slots=processes * SHIPPED_THREADS, processes=processes)
        self.services: Mapping[str, Service] = dict.fromkeys(KINDS, threads)
        self.workers: Sequence[Sequence[str]] = [["dramatiq", f"{brokers.__name__}:default"]]
        self.settings: Mapping[str, Any] = {
            "processes": processes,
            "threads": SHIPPED_THREADS,
            "max_retries": 0,
            "heartbeat_timeout_s": self.window_s,
        }

    async def start(self) -> None:
        """Do nothing: dramatiq connects at the first message."""

    def _enqueue(self, task: Task, queue: str) -> None:
        message = self.broker.get_actor(queue).message(task.to_message())
        self.broker.enqueue(message.copy(message_id=hex_id(task.id)))

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task, blocking the event loop meanwhile, as a call of `.send()` does."""
        self._enqueue(task, brokers.SHIPPED_QUEUE)

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: dramatiq keeps no results unless it is told to."""
        return None

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await asyncio.to_thread(self.broker.client.close)


def _worker(broker: str, queue: str, processes: int, threads: int) -> list[str]:
    command = ["targets.strategies.dramatiq.worker", f"{brokers.__name__}:{broker}", "--queues", queue]
    return [*command, "--processes", str(processes), "--threads", str(threads)]


class DramatiqTuned(DramatiqDefault):
    """Tuned: publishing off the event loop; threads for waiting tasks and processes for computing ones."""

    queues = _keys([brokers.WAITING, brokers.COMPUTING])
    max_attempts = brokers.ATTEMPTS
    broker = brokers.tuned

    def __init__(self, settings: Settings) -> None:
        self.window_s = settings.visibility_s or brokers.SHIPPED_HEARTBEAT_S
        waiting = Service(law="pool", slots=settings.slots)
        self.services = by_queue(waiting, children(settings.cores))
        self.workers = [
            _worker("tuned", brokers.WAITING, 1, settings.slots),
            _worker("tuned", brokers.COMPUTING, settings.cores, 1),
        ]
        self.settings = {
            "worker_timeout_ms": WORKER_TIMEOUT_MS,
            "max_retries": brokers.ATTEMPTS - 1,
            "min_backoff_ms": 1,
            "heartbeat_timeout_s": self.window_s,
        }

    async def start(self) -> None:
        """Make the threads that publish."""
        self._publishers = Publishers()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread of this strategy's own."""
        queue = brokers.COMPUTING if KINDS[task.kind].computes else brokers.WAITING
        await self._publishers.run(self._enqueue, task, queue)

    async def stop(self) -> None:
        """Wait for publishes under way and disconnect from Redis."""
        await self._publishers.close()
        await super().stop()


class DramatiqDurable(DramatiqTuned):
    """Durable: what a dead worker held is taken back as soon as its heartbeat is too old.

    A task may be delivered a second time, also one that has completed: it must be idempotent. One that kills
    its process is delivered again for ever, and ends the worker's other processes each time.
    """

    supervised = True
    broker = brokers.durable

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or brokers.DURABLE_HEARTBEAT_S
        self.workers = [
            ["targets.supervisor", *_worker("durable", brokers.WAITING, 1, settings.slots)],
            ["targets.supervisor", *_worker("durable", brokers.COMPUTING, settings.cores, 1)],
        ]
        self.settings = {
            **self.settings,
            "heartbeat_timeout_s": self.window_s,
            "maintenance_chance": brokers.ALWAYS,
            "socket_timeout_s": 5.0,
            "accept_limit_s": ACCEPT_LIMIT_S,
        }

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Publish the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), RedisError, OSError)
