"""streaQ over Redis streams; by hand: `streaq run targets.strategies.streaq.worker:tuned`."""

import json
from contextlib import AsyncExitStack
from importlib.resources import files
from typing import Any, ClassVar

from coredis.exceptions import RedisError, ResponseError
from streaq import Worker

from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import Durable, Queue, commands, under_supervisor
from targets.serving import alike, pool
from targets.settings import Settings
from targets.strategies.streaq import worker
from targets.strategies.streaq.holding import Holding
from targets.strategies.streaq.worker import ATTEMPTS, DURABLE_TRIES, GRACE_S, idle_s
from targets.task import Task, hex_id

SHIPPED_TASKS = 16
STATES = {"queued": "accepted", "scheduled": "accepted", "running": "started"}


class StreaqDefault(Queue):
    """As shipped: sixteen tasks at once, sixteen more fetched, results kept for five minutes."""

    queues = ("streaq:default:queues:normal", "streaq:default:queues:delayed:normal")
    workers = commands(["streaq", "run", f"{worker.__name__}:default"])
    client: ClassVar["Worker[None]"] = worker.default

    def __init__(self, settings: Settings) -> None:
        self._declare(SHIPPED_TASKS, idle_s(settings, worker.SHIPPED_IDLE_S))

    def _declare(self, tasks: int, idle: float, **more: Any) -> None:
        # a worker that has nothing to do looks for abandoned tasks each time that its read ends
        self.window_s = 2 * idle
        self.services = alike(pool(tasks))
        self.settings = {"concurrency": tasks, "idle_timeout": idle, **more}

    async def start(self) -> None:
        """Connect to Redis and leave streaQ's functions there."""
        self._entered = AsyncExitStack()
        await self._entered.enter_async_context(self.client)

    async def publish(self, task: Task) -> None:
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

    workers = commands(["streaq", "run", f"{worker.__name__}:tuned"])
    max_attempts = ATTEMPTS
    client: ClassVar["Worker[None]"] = worker.tuned

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": ATTEMPTS, "ttl": 0}
        self._declare(settings.slots, idle_s(settings, worker.SHIPPED_IDLE_S), **more)


class StreaqDurable(Durable, StreaqTuned):
    """Durable: as tuned, a shorter `idle_timeout`, bounded waits and an orderly end, under a supervisor.

    A task may run a second time, also one that has completed: it must be idempotent. One that kills its
    worker is given up after `DURABLE_TRIES` starts, and every other task of that worker loses a try with it.
    """

    workers = under_supervisor(["streaq", "run", f"{worker.__name__}:durable"])
    unreachable = (RedisError, OSError)
    client: ClassVar["Worker[None]"] = worker.durable

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": DURABLE_TRIES, "ttl": 0, "grace_period": GRACE_S}
        idle = idle_s(settings, worker.DURABLE_IDLE_S)
        self._declare(settings.slots, idle, accept_limit_s=ACCEPT_LIMIT_S, **more)

    async def start(self) -> None:
        """Begin to connect, for as long as it takes: the API starts without its broker."""
        self._holding = Holding(self.client)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._holding.close()

    async def publish(self, task: Task) -> None:
        """Enqueue the task as soon as there is a connection."""
        await self._holding.opened()
        try:
            await super().publish(task)
        except ResponseError:  # a server that lost its memory has lost streaQ's functions, too
            await self.client.redis.function_load(_functions(), replace=True)
            await super().publish(task)


def _functions() -> str:
    return (files("streaq") / "lua" / "streaq.lua").read_text()
