"""A small service that observes its tasks where it is told to."""

import os

from fastapi import BackgroundTasks, FastAPI

from blockpoint import observe

app = FastAPI()
app.add_middleware(observe.Requests)


@observe.observed
async def work(kind: str) -> None:
    """Do nothing, as cheaply as that can be done."""


@app.post("/tasks", status_code=202)
async def submit(task: dict[str, object], background: BackgroundTasks) -> dict[str, bool]:
    """Submit a task."""
    background.add_task(work, str(task["kind"]))
    return {"accepted": True}


@app.get("/health")
def health() -> dict[str, int]:
    """Say which process answers."""
    return {"pid": os.getpid()}
