"""Celery's variants, whichever broker they have: how they publish, and what their workers are."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from celery import Celery
from fastapi import BackgroundTasks
from kombu.exceptions import OperationalError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, Publishers
from targets.serving import by_queue, children
from targets.settings import Settings
from targets.strategies.celery.application import TASK
from targets.strategies.celery.configuration import TUNED_ATTEMPTS
from targets.strategy import UnreachableError
from targets.task import Task, hex_id

UNSAID = ("--without-gossip", "--without-mingle", "--without-heartbeat")
WAITING, COMPUTING = "waiting", "computing"


class Shipped:
    """As shipped: `.delay()` called in the coroutine, one child a core."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = ("celery",)
    max_attempts = 1
    supervised = False
    window_s = 0.0
    app: ClassVar[Celery]
    where: ClassVar[str]
    """the app's import string, `module:name`"""

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        count = os.cpu_count() or 1
        self.services: Mapping[str, Service] = dict.fromkeys(KINDS, children(count))
        self.workers = [["celery", "-A", self.where, "worker", "-c", str(count)]]
        self.settings: Mapping[str, Any] = {"pool": "prefork", "concurrency": count}

    async def start(self) -> None:
        """Do nothing: Celery connects at the first publish."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task, blocking the event loop meanwhile, as a call of `.delay()` does."""
        self.app.tasks[TASK].apply_async((task.to_message(),), task_id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: no results are kept."""
        return None

    async def stop(self) -> None:
        """Close the connections to the broker."""
        await asyncio.to_thread(self.app.close)


class Tuned:
    """No results, publishing off the event loop, threads for waiting and prefork for computing."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = (WAITING, COMPUTING)
    max_attempts = TUNED_ATTEMPTS
    supervised = False
    window_s = 0.0
    app: ClassVar[Celery]
    where: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        waiting = Service(law="pool", slots=settings.slots)
        self.services: Mapping[str, Service] = by_queue(waiting, children(settings.cores))
        self.workers = [
            self._worker(WAITING, "threads", settings.slots),
            self._worker(COMPUTING, "prefork", settings.cores),
        ]
        self.settings: Mapping[str, Any] = {"pool": "threads and prefork", "results": "ignored"}

    def _worker(self, queue: str, pool: str, slots: int) -> list[str]:
        """Return the command of a worker of one queue, which talks to no other worker."""
        command = ["celery", "-A", self.where, "worker", *UNSAID]
        return [*command, "-n", f"{queue}@%h", "-Q", queue, "-P", pool, "-c", str(slots)]

    async def start(self) -> None:
        """Make the threads that publish."""
        self._publishers = Publishers()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread of this strategy's own."""
        await self._publish(task)

    def _publish(self, task: Task) -> asyncio.Future[Any]:
        publish = partial(
            self.app.tasks[TASK].apply_async,
            (task.to_message(),),
            task_id=hex_id(task.id),
            queue=COMPUTING if KINDS[task.kind].computes else WAITING,
        )
        return self._publishers.run(publish)

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: results are ignored."""
        return None

    async def stop(self) -> None:
        """Wait for publishes under way and close the connections to the broker."""
        await self._publishers.close()
        await asyncio.to_thread(self.app.close)


class Durable(Tuned):
    """A task leaves the broker when it has ended, however its worker fares: children, and a supervisor.

    A task may be delivered a second time, also one that has completed: it must be idempotent. One that kills
    its child is tried three times in all, before Celery 5.7 for ever.
    """

    supervised = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = by_queue(children(settings.slots), children(settings.cores))
        self.workers = [
            ["targets.supervisor", *self._worker(WAITING, "prefork", settings.slots)],
            ["targets.supervisor", *self._worker(COMPUTING, "prefork", settings.cores)],
        ]
        self.settings = {**self.settings, "pool": "prefork", "accept_limit_s": ACCEPT_LIMIT_S}

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        try:
            await asyncio.wait_for(self._publish(task), ACCEPT_LIMIT_S)
        except (OperationalError, OSError) as error:
            raise UnreachableError from error
