"""dramatiq over Redis."""

import asyncio
import os
from collections.abc import Sequence

from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError

from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import COMPUTING, WAITING, Durable, InTheCoroutine, OffTheLoop, queue_of, under_supervisor
from targets.serving import alike, by_queue, children, pool
from targets.settings import Settings
from targets.strategies.dramatiq import brokers
from targets.strategies.dramatiq.worker import WORKER_TIMEOUT_MS
from targets.task import Task, hex_id

SHIPPED_THREADS = 8


def _keys(queues: Sequence[str]) -> list[str]:
    """Return where messages stand until they are acknowledged, those that wait for a retry too."""
    return [f"dramatiq:{queue}{delayed}.msgs" for queue in queues for delayed in ("", ".DQ")]


class DramatiqDefault(InTheCoroutine):
    """As shipped but for its 20 retries: `.send()` called in the coroutine, eight threads a core."""

    queues = _keys([brokers.SHIPPED_QUEUE])
    broker: RedisBroker = brokers.default

    def __init__(self, settings: Settings) -> None:
        processes = os.cpu_count() or 1
        self.window_s = settings.visibility_s or brokers.SHIPPED_HEARTBEAT_S
        self.services = alike(pool(processes * SHIPPED_THREADS, processes))
        self.workers = [["dramatiq", f"{brokers.__name__}:default"]]
        self.settings = {
            "processes": processes,
            "threads": SHIPPED_THREADS,
            "max_retries": 0,
            "heartbeat_timeout_s": self.window_s,
        }

    def send(self, task: Task) -> None:
        """Publish the task, as a call of `.send()` does; dramatiq connects at the first."""
        self._enqueue(task, brokers.SHIPPED_QUEUE)

    def _enqueue(self, task: Task, queue: str) -> None:
        message = self.broker.get_actor(queue).message(task.to_message())
        self.broker.enqueue(message.copy(message_id=hex_id(task.id)))

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await asyncio.to_thread(self.broker.client.close)


def _worker(broker: str, queue: str, processes: int, threads: int) -> list[str]:
    command = ["targets.strategies.dramatiq.worker", f"{brokers.__name__}:{broker}", "--queues", queue]
    return [*command, "--processes", str(processes), "--threads", str(threads)]


def _workers(variant: str, settings: Settings) -> list[list[str]]:
    """Return a process of threads for waiting tasks, and a process a core for computing ones."""
    return [_worker(variant, WAITING, 1, settings.slots), _worker(variant, COMPUTING, settings.cores, 1)]


class DramatiqTuned(OffTheLoop, DramatiqDefault):
    """Tuned: publishing off the event loop; threads for waiting tasks and processes for computing ones."""

    queues = _keys([WAITING, COMPUTING])
    max_attempts = brokers.ATTEMPTS
    broker = brokers.tuned

    def __init__(self, settings: Settings) -> None:
        self.window_s = settings.visibility_s or brokers.SHIPPED_HEARTBEAT_S
        self.services = by_queue(pool(settings.slots), children(settings.cores))
        self.workers = _workers("tuned", settings)
        self.settings = {
            "worker_timeout_ms": WORKER_TIMEOUT_MS,
            "max_retries": brokers.ATTEMPTS - 1,
            "min_backoff_ms": 1,
            "heartbeat_timeout_s": self.window_s,
        }

    def send(self, task: Task) -> None:
        """Publish the task to the queue of its kind."""
        self._enqueue(task, queue_of(task))


class DramatiqDurable(Durable, DramatiqTuned):
    """Durable: what a dead worker held is taken back as soon as its heartbeat is too old.

    A task may be delivered a second time, also one that has completed: it must be idempotent. One that kills
    its process is delivered again for ever, and ends the worker's other processes each time.
    """

    unreachable = (RedisError, OSError)
    broker = brokers.durable

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or brokers.DURABLE_HEARTBEAT_S
        self.workers = under_supervisor(*_workers("durable", settings))
        self.settings = {
            **self.settings,
            "heartbeat_timeout_s": self.window_s,
            "maintenance_chance": brokers.ALWAYS,
            "socket_timeout_s": 5.0,
            "accept_limit_s": ACCEPT_LIMIT_S,
        }
