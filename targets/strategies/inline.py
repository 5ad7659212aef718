"""The baseline: the task is awaited before the reply."""

from fastapi import BackgroundTasks

from results.schema import Service
from targets.settings import Settings
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform_async


class Inline(InProcess):
    """Runs the task in the endpoint, which replies when it is done."""

    def __init__(self, _settings: Settings) -> None:
        self.services = ON_THE_LOOP

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Run the task."""
        await perform_async(task)


ON_THE_LOOP = {
    "sleep": Service(law="await", slots=0),
    "cpu": Service(law="loop", slots=1),
    "cpu_native": Service(law="loop", slots=1),
}
"""How coroutines on the web process's event loop serve tasks."""

definition = Definition(
    name="inline",
    summary="no offloading: the endpoint awaits the task and then replies",
    variants={"default": Variant("awaited before the reply", Inline)},
)
