"""Orders whose mail keeps one of fifteen connections for 100 ms: 150/s is the most that they bear."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI

from blockpoint import observe

app = FastAPI()
app.add_middleware(observe.Requests)
pool = asyncio.Semaphore(15)
mailed: set[str] = set()


async def session() -> AsyncIterator[None]:
    """Hold a connection, which FastAPI gives back after the background task."""
    async with pool:
        yield


@observe.observed
async def mail(order: str) -> None:
    """Wait for the mail server."""
    await asyncio.sleep(0.1)
    mailed.add(order)


@app.post("/orders/{order}", status_code=202)
async def submit(order: str, background: BackgroundTasks, _: Annotated[None, Depends(session)]) -> None:
    """Take an order."""
    background.add_task(mail, order)


@app.get("/orders/{order}")
async def state(order: str) -> dict[str, str]:
    """Say whether an order's mail is out, without a connection."""
    return {"state": "mailed" if order in mailed else "waits"}


@app.get("/newest")
async def newest(_: Annotated[None, Depends(session)]) -> None:
    """Answer with a connection."""


@app.get("/health")
async def health() -> str:
    """Answer from the event loop."""
    return "up"
