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
        self.services = AWAITED

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Run the task."""
        await perform_async(task)


SERVED_BY_THE_LOOP = ("accept", "ping", "ping_sync")
"""What waits while the event loop of the web process computes: all that it serves."""

AWAITED = {
    "sleep": Service(law="await", slots=0, shares=["accept"]),
    "cpu": Service(law="await", slots=1, shares=list(SERVED_BY_THE_LOOP)),
    "cpu_native": Service(law="await", slots=1, shares=list(SERVED_BY_THE_LOOP)),
}
"""How an endpoint that awaits its task serves it: the reply comes when the task has ended."""

definition = Definition(
    name="inline",
    summary="no offloading: the endpoint awaits the task and then replies",
    variants={"default": Variant("awaited before the reply", Inline)},
    place=0,
)
