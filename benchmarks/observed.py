"""A small service that observes its tasks where it is told to."""

import os

from fastapi import BackgroundTasks, FastAPI

from blockpoint import observe


async def work(kind: str) -> None:
    """Do nothing, as cheaply as that can be done."""


def service(*, observing: bool = True) -> FastAPI:
    """Return the service, with what observes its tasks or without."""
    made = FastAPI()
    task = observe.observed(work) if observing else work
    if observing:
        made.add_middleware(observe.Requests)

    @made.post("/tasks", status_code=202)
    async def submit(sent: dict[str, object], background: BackgroundTasks) -> dict[str, bool]:
        """Submit a task."""
        background.add_task(task, str(sent["kind"]))
        return {"accepted": True}

    @made.get("/health")
    def health() -> dict[str, int]:
        """Say which process answers."""
        return {"pid": os.getpid()}

    return made


app = service()
