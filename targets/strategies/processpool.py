"""A pool of processes beside the event loop: what work that computes is told to use."""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

from fastapi import BackgroundTasks

from targets.children import begin
from targets.serving import alike, children
from targets.settings import Settings
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform

SPAWN = multiprocessing.get_context("spawn")
"""forked children would hold the listening socket, and whatever locks other threads held"""


class AsShipped(InProcess):
    """As shipped: a process a core, each started by the first tasks that find none idle.

    When a child dies the pool is broken: all that it ran and held ends unfinished, and every later task is
    answered with 500 until the service is started again.
    """

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        self._processes = os.cpu_count() or 1
        self._declare()

    def _declare(self) -> None:
        self.services = alike(children(self._processes))
        self.settings = {"max_workers": self._processes, "start": "spawn"}

    async def start(self) -> None:
        """Make the pool."""
        self._pool = self._made()

    def _made(self, gathering: threading.Barrier | None = None) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._processes, mp_context=SPAWN, initializer=begin, initargs=(gathering,)
        )

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Queue the task; raises BrokenExecutor once a child has died."""
        self._pool.submit(perform, task)

    async def stop(self) -> None:
        """Wait for all queued tasks, and end the children."""
        await asyncio.to_thread(self._pool.shutdown)


class Warm(AsShipped):
    """Tuned: `slots` processes that wait for the first tasks, and another pool where one is broken."""

    def __init__(self, settings: Settings) -> None:
        self._processes = settings.slots
        self._declare()

    async def start(self) -> None:
        """Start every child; none works before all have begun, or an idle one would stand for two."""
        self._pool = self._made(SPAWN.Barrier(self._processes))
        begun = [self._pool.submit(os.getpid) for _ in range(self._processes)]
        await asyncio.gather(*map(asyncio.wrap_future, begun))

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Queue the task, in a new pool where the last one is broken: what that held is not tried again."""
        try:
            await super().submit(task, background)
        except BrokenExecutor:
            self._pool = self._made()
            await super().submit(task, background)


definition = Definition(
    name="processpool",
    summary="ProcessPoolExecutor of this process, spawned children",
    variants={
        "default": Variant(
            "a process a core of the machine, started by the first tasks; drained on shutdown",
            AsShipped,
            by_name_only=True,
        ),
        "tuned": Variant(
            "`slots` processes started beforehand, a new pool after a child's death; drained on shutdown",
            Warm,
            by_name_only=True,
        ),
    },
    place=45,
)
