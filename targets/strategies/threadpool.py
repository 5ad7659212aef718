"""A thread pool beside the event loop."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from fastapi import BackgroundTasks

from targets.settings import Settings
from targets.strategies.background_tasks import threads
from targets.strategy import Definition, InProcess, QueueFullError, Variant
from targets.task import Task
from targets.work import perform

QUEUED_PER_SLOT = 25


def default_threads(settings: Settings) -> int:
    """Return the size of asyncio's default executor: cores + 4, at most 32."""
    cores = settings.cores if sys.version_info >= (3, 13) else os.cpu_count() or 1
    return min(32, cores + 4)


class DefaultExecutor(InProcess):
    """As shipped: `run_in_executor(None)`, an unbounded queue before cpu + 4 threads."""

    def __init__(self, settings: Settings) -> None:
        self.services = threads(default_threads(settings))

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Queue the task in the event loop's default executor."""
        asyncio.get_running_loop().run_in_executor(None, perform, task)


class BoundedPool(InProcess):
    """Tuned: an own pool of `slots` threads, a bounded queue that answers 503, drained at the end."""

    def __init__(self, settings: Settings) -> None:
        self.services = threads(settings.slots)
        self._slots = settings.slots
        self._cap = settings.slots * (1 + QUEUED_PER_SLOT)
        self.settings = {"threads": self._slots, "queue_cap": self._cap - self._slots}
        self._unfinished = 0

    async def start(self) -> None:
        """Make the pool."""
        self._pool = ThreadPoolExecutor(self._slots, thread_name_prefix="task")

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Queue the task, or raise QueueFullError."""
        if self._unfinished >= self._cap:
            raise QueueFullError
        self._unfinished += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, perform, task)
        future.add_done_callback(self._finished)

    async def stop(self) -> None:
        """Wait for all queued tasks."""
        await asyncio.to_thread(self._pool.shutdown)

    def _finished(self, future: asyncio.Future[None]) -> None:
        self._unfinished -= 1
        if not future.cancelled():
            future.exception()


definition = Definition(
    name="threadpool",
    summary="run_in_executor on threads of this process",
    variants={
        "default": Variant(
            "run_in_executor(None): asyncio's cpu + 4 threads, unbounded queue", DefaultExecutor
        ),
        "tuned": Variant("own pool, queue bounded with 503, drained on shutdown", BoundedPool),
    },
    place=40,
)
