"""APScheduler in the web process, as a background executor: each task a job that is due at once."""

import asyncio

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from fastapi import BackgroundTasks

from targets.settings import Settings
from targets.strategies.background_tasks import threads
from targets.strategies.threadpool import default_threads
from targets.strategy import InProcess
from targets.task import Task
from targets.work import perform

MISFIRE_GRACE_S = 1
"""how late a job may start before it is dropped, unless the scheduler is told otherwise"""


class AsShipped(InProcess):
    """As shipped: asyncio's default threads, in front of which a job that waits longer than 1 s is dropped.

    Its task was accepted and never runs; a warning in the log is all that tells.
    """

    def __init__(self, settings: Settings) -> None:
        self.services = threads(default_threads(settings))
        self.settings = {"misfire_grace_time": MISFIRE_GRACE_S, "max_instances": 1}

    async def start(self) -> None:
        """Start the scheduler in this event loop."""
        self._scheduler = AsyncIOScheduler()
        self._scheduler.start()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Add a job without a trigger: it is due now."""
        self._scheduler.add_job(perform, args=(task,))

    async def stop(self) -> None:
        """Stop the scheduler, which waits for nothing here, whatever `wait` says."""
        self._scheduler.shutdown()


class Patient(AsShipped):
    """Tuned: `slots` threads of its own, jobs that may be late for ever, drained at the end."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = threads(settings.slots)
        self.settings = {"misfire_grace_time": None, "max_instances": 1, "threads": settings.slots}
        self._slots = settings.slots

    async def start(self) -> None:
        """Start the scheduler and its threads."""
        self._threads = ThreadPoolExecutor(self._slots)
        self._scheduler = AsyncIOScheduler(
            executors={"default": self._threads}, job_defaults={"misfire_grace_time": None}
        )
        self._scheduler.start()

    async def stop(self) -> None:
        """Wait for all jobs, which the scheduler would do in the event loop."""
        await asyncio.to_thread(self._threads.shutdown)
        self._scheduler.shutdown(wait=False)
