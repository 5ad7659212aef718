"""What queues have in common: how they publish, and what makes one durable."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from fastapi import BackgroundTasks

from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, Publishers, publish_within
from targets.strategy import Defaults
from targets.task import Task

WAITING, COMPUTING = "waiting", "computing"


def queue_of(task: Task) -> str:
    """Return the queue of a task where those that compute have one of their own."""
    return COMPUTING if KINDS[task.kind].computes else WAITING


def commands(*each: Sequence[str]) -> Sequence[Sequence[str]]:
    """Return the commands of workers that nobody starts again."""
    return each


def under_supervisor(*each: Sequence[str]) -> Sequence[Sequence[str]]:
    """Return the commands of workers that are started again when they exit."""
    return [["targets.supervisor", *command] for command in each]


class Queue(Defaults, ABC):
    """A strategy with workers of its own, and a broker in which tasks wait for them."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str]

    @abstractmethod
    async def publish(self, task: Task) -> None:
        """Return once the broker has the task."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task."""
        await self.publish(task)


class InTheCoroutine(Queue):
    """Publishes as a plain call in an `async def` endpoint does: the event loop stands still meanwhile."""

    @abstractmethod
    def send(self, task: Task) -> None:
        """Return once the broker has the task."""

    async def publish(self, task: Task) -> None:
        """Send the task, and the event loop waits."""
        self.send(task)


class OffTheLoop(InTheCoroutine):
    """Publishes in threads of the strategy's own: the event loop goes on meanwhile."""

    async def start(self) -> None:
        """Open what sending needs, and make the threads."""
        await super().start()
        self._publishers = Publishers()

    async def publish(self, task: Task) -> None:
        """Send the task from a thread."""
        await self._publishers.run(self.send, task)

    async def stop(self) -> None:
        """Wait for publishes under way, and close what was opened."""
        await self._publishers.close()
        await super().stop()


class Durable(Queue):
    """Accepts in bounded time, and has its workers under a supervisor; stands first among the bases."""

    supervised = True
    unreachable: ClassVar[Sequence[type[Exception]]]
    """what its client raises where the broker cannot be reached"""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Publish the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), *self.unreachable)
