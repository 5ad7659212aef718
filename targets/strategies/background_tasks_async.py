"""FastAPI's BackgroundTasks with an `async def` task, which runs on the event loop."""

from fastapi import BackgroundTasks

from results.schema import Service
from targets.settings import Settings
from targets.strategies.inline import SERVED_BY_THE_LOOP
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform_async


class BackgroundTasksAsync(InProcess):
    """As shipped: the coroutine runs after the reply; what it computes, the loop waits for."""

    def __init__(self, _settings: Settings) -> None:
        self.services = ON_THE_LOOP

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Hand the task to FastAPI, to be run after the reply."""
        background.add_task(perform_async, task)


ON_THE_LOOP = {
    "sleep": Service(law="await", slots=0),
    "cpu": Service(law="loop", slots=1, shares=list(SERVED_BY_THE_LOOP)),
    "cpu_native": Service(law="loop", slots=1, shares=list(SERVED_BY_THE_LOOP)),
}
"""How coroutines on the web process's event loop serve tasks after the reply."""

definition = Definition(
    name="background_tasks_async",
    summary="FastAPI BackgroundTasks, `async def` task that awaits",
    variants={"default": Variant("as shipped: on the event loop", BackgroundTasksAsync)},
    place=20,
)
