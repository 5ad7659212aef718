"""`asyncio.create_task`: fire and forget on the event loop, before the reply."""

import asyncio

from fastapi import BackgroundTasks

from results.terms import KINDS
from targets.settings import Settings
from targets.strategies.background_tasks import threads
from targets.strategies.background_tasks_async import ON_THE_LOOP
from targets.strategies.threadpool import default_threads
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform, perform_async


class FireAndForget(InProcess):
    """As people write it: nobody holds the task, waits for it at the end or hears of its exception."""

    def __init__(self, _settings: Settings) -> None:
        self.services = ON_THE_LOOP

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Leave the task to the event loop, which refers to it only weakly."""
        asyncio.create_task(perform_async(task))  # noqa: RUF006 -- the mistake that is measured


class KeptAndDrained(InProcess):
    """Tuned: referred to until it has ended, waited for at the end, computing in a thread."""

    def __init__(self, settings: Settings) -> None:
        pool = threads(default_threads(settings))
        self.services = {
            name: (ON_THE_LOOP["sleep"] if kind.awaited else pool[name]) for name, kind in KINDS.items()
        }
        self.settings = {"threads": default_threads(settings)}
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Start the task and keep it."""
        work = perform_async(task) if KINDS[task.kind].awaited else asyncio.to_thread(perform, task)
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Wait for all tasks."""
        await asyncio.gather(*self._running, return_exceptions=True)


definition = Definition(
    name="create_task",
    summary="asyncio.create_task, a coroutine that the reply does not wait for",
    variants={
        "default": Variant(
            "fire and forget: no reference kept, not drained on shutdown", FireAndForget, by_name_only=True
        ),
        "tuned": Variant(
            "references kept, drained on shutdown; computing in asyncio's cpu + 4 threads",
            KeptAndDrained,
            by_name_only=True,
        ),
    },
    place=32,
)
