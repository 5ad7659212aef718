"""FastAPI's BackgroundTasks with a `def` task, which runs in AnyIO's shared thread pool."""

from collections.abc import Sequence

import anyio
import anyio.to_thread
from fastapi import BackgroundTasks

from results.schema import Service
from targets.serving import alike
from targets.settings import Settings
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform


def threads(slots: int, shares: Sequence[str] = ()) -> dict[str, Service]:
    """Return how a pool of that many threads in one process serves tasks, and which streams need it too."""
    return alike(Service(law="pool", slots=slots, shares=list(shares)))


class BackgroundTasksDef(InProcess):
    """As shipped: tasks share AnyIO's tokens, 40 by its default, with every `def` endpoint of the process."""

    def __init__(self, settings: Settings) -> None:
        self.services = threads(settings.anyio_tokens, shares=["ping_sync"])
        self.settings = {"anyio_tokens": settings.anyio_tokens}

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Hand the task to FastAPI, to be run after the reply."""
        background.add_task(perform, task)


class BackgroundTasksLimited(InProcess):
    """Tuned: the task's threads come from a limiter of its own, so `def` endpoints keep theirs."""

    def __init__(self, settings: Settings) -> None:
        self.services = threads(settings.slots)
        self.settings = {"limiter_tokens": settings.slots}
        self._slots = settings.slots

    async def start(self) -> None:
        """Make the limiter; it belongs to the running event loop."""
        self._limiter = anyio.CapacityLimiter(self._slots)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Hand the task to FastAPI, to be run after the reply."""
        background.add_task(self._run, task)

    async def _run(self, task: Task) -> None:
        await anyio.to_thread.run_sync(perform, task, limiter=self._limiter)


definition = Definition(
    name="background_tasks",
    summary="FastAPI BackgroundTasks, `def` task in the thread pool",
    variants={
        "default": Variant("as shipped: AnyIO's threads, shared with `def` endpoints", BackgroundTasksDef),
        "tuned": Variant("threads from a CapacityLimiter of its own", BackgroundTasksLimited),
    },
    place=10,
)
