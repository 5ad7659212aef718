"""streaQ over Redis streams; by hand: `streaq run targets.strategies.streaq.worker:tuned`."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from importlib.resources import files
from typing import Any, ClassVar

from coredis.exceptions import RedisError, ResponseError
from fastapi import BackgroundTasks
from streaq import Worker

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, publish_within
from targets.settings import Settings
from targets.strategies.streaq import worker
from targets.strategies.streaq.worker import ATTEMPTS, DURABLE_TRIES, GRACE_S, idle_s
from targets.task import Task, hex_id

SHIPPED_TASKS = 16
CONNECT_PAUSE_S = 1.0
STATES = {"queued": "accepted", "scheduled": "accepted", "running": "started"}


class StreaqDefault:
    """As shipped: sixteen tasks at once, sixteen more fetched, results kept for five minutes."""

    queues: Sequence[str] = ("streaq:default:queues:normal", "streaq:default:queues:delayed:normal")
    workers: Sequence[Sequence[str]] = [["streaq", "run", f"{worker.__name__}:default"]]
    max_attempts = 1
    supervised = False
    client: ClassVar["Worker[None]"] = worker.default

    def __init__(self, settings: Settings) -> None:
        self._declare(SHIPPED_TASKS, idle_s(settings, worker.SHIPPED_IDLE_S))

    def _declare(self, tasks: int, idle: float, **more: Any) -> None:
        # a worker that has nothing to do looks for abandoned tasks each time that its read ends
        self.window_s = 2 * idle
        self.services: Mapping[str, Service] = dict.fromkeys(KINDS, Service(law="pool", slots=tasks))
        self.settings: Mapping[str, Any] = {"concurrency": tasks, "idle_timeout": idle, **more}

    async def start(self) -> None:
        """Connect to Redis and leave streaQ's functions there."""
        self._entered = AsyncExitStack()
        await self._entered.enter_async_context(self.client)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task."""
        function = self.client.registry["wait" if KINDS[task.kind].awaited else "compute"]
        message = function.enqueue(task.to_message())
        message.id = hex_id(task.id)
        await message

    async def state(self, task_id: int) -> str | None:
        """Return streaQ's own state of the task; None where it keeps none."""
        raw = await self.client.redis.get(f"{self.client.results_key}{hex_id(task_id)}")
        if raw:
            return "finished" if json.loads(raw)["s"] else "failed"
        return STATES.get(await self.client.status_by_id(hex_id(task_id)))

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._entered.aclose()


class StreaqTuned(StreaqDefault):
    """Tuned: `slots` tasks at once, one more fetched, three tries, no results."""

    workers: Sequence[Sequence[str]] = [["streaq", "run", f"{worker.__name__}:tuned"]]
    max_attempts = ATTEMPTS
    client: ClassVar["Worker[None]"] = worker.tuned

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": ATTEMPTS, "ttl": 0}
        self._declare(settings.slots, idle_s(settings, worker.SHIPPED_IDLE_S), **more)


class StreaqDurable(StreaqTuned):
    """Durable: as tuned, a shorter `idle_timeout`, bounded waits and an orderly end, under a supervisor.

    A task may run a second time, also one that has completed: it must be idempotent. One that kills its
    worker is given up after `DURABLE_TRIES` starts, and every other task of that worker loses a try with it.
    """

    workers: Sequence[Sequence[str]] = [["targets.supervisor", "streaq", "run", f"{worker.__name__}:durable"]]
    supervised = True
    client: ClassVar["Worker[None]"] = worker.durable

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": DURABLE_TRIES, "ttl": 0, "grace_period": GRACE_S}
        idle = idle_s(settings, worker.DURABLE_IDLE_S)
        self._declare(settings.slots, idle, accept_limit_s=ACCEPT_LIMIT_S, **more)

    async def start(self) -> None:
        """Begin to connect, for as long as it takes: the API starts without its broker."""
        self._ready, self._over = asyncio.Event(), asyncio.Event()
        self._holding = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        """Keep the worker's context open, which one and the same task has to enter and to leave."""
        while not self._over.is_set():
            try:
                async with self.client:
                    self._ready.set()
                    await self._over.wait()
            except* (RedisError, OSError):
                await asyncio.sleep(CONNECT_PAUSE_S)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        self._over.set()
        if not self._ready.is_set():
            self._holding.cancel()
        await asyncio.wait({self._holding})

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Enqueue the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, self._publish(task, background), RedisError, OSError)

    async def _publish(self, task: Task, background: BackgroundTasks) -> None:
        await self._ready.wait()
        try:
            await super().submit(task, background)
        except ResponseError:  # a server that lost its memory has lost streaQ's functions, too
            await self.client.redis.function_load(_functions(), replace=True)
            await super().submit(task, background)


def _functions() -> str:
    return (files("streaq") / "lua" / "streaq.lua").read_text()
