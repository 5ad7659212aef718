"""Celery's variants, whichever broker they have: how they publish, and what their workers are."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from celery import Celery
from kombu.exceptions import OperationalError

from targets import queues
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import COMPUTING, WAITING, InTheCoroutine, OffTheLoop, queue_of, under_supervisor
from targets.serving import alike, by_queue, children, pool
from targets.settings import Settings
from targets.strategies.celery.application import TASK
from targets.strategies.celery.configuration import TUNED_ATTEMPTS
from targets.task import Task, hex_id

UNSAID = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class Application(InTheCoroutine):
    """Publishes with an application of Celery's, which connects at the first task."""

    app: ClassVar[Celery]
    where: ClassVar[str]
    """the app's import string, `module:name`"""

    def send(self, task: Task) -> None:
        """Publish the task, as a call of `.delay()` does."""
        self._apply(task)

    def _apply(self, task: Task, **options: Any) -> None:
        self.app.tasks[TASK].apply_async((task.to_message(),), task_id=hex_id(task.id), **options)

    async def stop(self) -> None:
        """Close the connections to the broker."""
        await asyncio.to_thread(self.app.close)


class Shipped(Application):
    """As shipped: `.delay()` called in the coroutine, one child a core."""

    queues: Sequence[str] = ("celery",)

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        count = os.cpu_count() or 1
        self.services = alike(children(count))
        self.workers = [["celery", "-A", self.where, "worker", "-c", str(count)]]
        self.settings = {"pool": "prefork", "concurrency": count}


class Tuned(OffTheLoop, Application):
    """No results, publishing off the event loop, threads for waiting and prefork for computing."""

    queues: Sequence[str] = (WAITING, COMPUTING)
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        self.services = by_queue(pool(settings.slots), children(settings.cores))
        self.workers = self._workers("threads", settings)
        self.settings = {"pool": "threads and prefork", "results": "ignored"}

    def _workers(self, kind: str, settings: Settings) -> list[list[str]]:
        """Return the commands of a worker of each queue, that of waiting tasks with such a pool."""
        return [
            self._worker(WAITING, kind, settings.slots),
            self._worker(COMPUTING, "prefork", settings.cores),
        ]

    def _worker(self, queue: str, kind: str, slots: int) -> list[str]:
        """Return the command of a worker of one queue, which talks to no other worker."""
        command = ["celery", "-A", self.where, "worker", *UNSAID]
        return [*command, "-n", f"{queue}@%h", "-Q", queue, "-P", kind, "-c", str(slots)]

    def send(self, task: Task) -> None:
        """Publish the task to the queue of its kind."""
        self._apply(task, queue=queue_of(task))


class Durable(queues.Durable, Tuned):
    """A task leaves the broker when it has ended, however its worker fares: children, and a supervisor.

    A task may be delivered a second time, also one that has completed: it must be idempotent. One that kills
    its child is tried three times in all, before Celery 5.7 for ever.
    """

    unreachable = (OperationalError, OSError)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = by_queue(children(settings.slots), children(settings.cores))
        self.workers = under_supervisor(*self._workers("prefork", settings))
        self.settings = {**self.settings, "pool": "prefork", "accept_limit_s": ACCEPT_LIMIT_S}
