"""The classic mistake: an `async def` background task around blocking code."""

from fastapi import BackgroundTasks

from results.schema import Service
from results.terms import KINDS
from targets.settings import Settings
from targets.strategies.inline import SERVED_BY_THE_LOOP
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform


async def perform_blocking(task: Task) -> None:
    """Do the task as a coroutine that never awaits."""
    perform(task)


class BackgroundTasksBlocking(InProcess):
    """As so often written: the event loop does the task and nothing else meanwhile."""

    def __init__(self, _settings: Settings) -> None:
        self.services = {
            kind: Service(law="loop", slots=1, shares=list(SERVED_BY_THE_LOOP)) for kind in KINDS
        }

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Hand the task to FastAPI, to be run after the reply."""
        background.add_task(perform_blocking, task)


definition = Definition(
    name="background_tasks_blocking",
    summary="FastAPI BackgroundTasks, `async def` task around blocking code (the mistake)",
    variants={"default": Variant("blocks the event loop for the whole task", BackgroundTasksBlocking)},
    place=30,
)
