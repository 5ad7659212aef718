"""A service with a way to run a task in each path, which counts what it runs by itself."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException

from blockpoint import observe

app = FastAPI()
app.add_middleware(observe.Requests)
pool = ThreadPoolExecutor(4)
kept: set["asyncio.Future[None]"] = set()


def note(way: str, number: int) -> None:
    with open(os.environ["COUNTED"], "a") as file:  # noqa: PTH123 -- one write a line, whichever thread
        file.write(f"{way} {number}\n")
    if number % 5 == 4:
        raise RuntimeError("every fifth fails")


@observe.observed
def blocking(way: str, number: int) -> None:
    note(way, number)


@observe.observed
async def awaiting(way: str, number: int) -> None:
    await asyncio.sleep(0.001)
    note(way, number)


class Caller:
    """Something that can be called and is no function."""

    async def __call__(self, way: str, number: int) -> None:
        await awaiting(way, number)


caller = observe.observed(Caller())


@app.post("/{way}/{number}", status_code=202)
async def submit(way: str, number: int, background: BackgroundTasks) -> None:
    ways: dict[str, Any] = {
        "def": lambda: background.add_task(blocking, way, number),
        "async": lambda: background.add_task(awaiting, way, number),
        "object": lambda: background.add_task(caller, way, number),
        "carried": lambda: pool.submit(observe.carried(note), way, number),
        "twice": lambda: pool.submit(observe.carried(blocking), way, number),
        "coroutine": lambda: kept.add(asyncio.ensure_future(observe.carried(awaiting)(way, number))),
        "labelled": lambda: pool.submit(blocking, way, number, **observe.label()),
        "thread": lambda: kept.add(asyncio.ensure_future(asyncio.to_thread(blocking, way, number))),
    }
    if way not in ways:
        raise HTTPException(503)
    ways[way]()


@app.get("/layers")
def layers() -> bool:
    return observe.RECORDING
