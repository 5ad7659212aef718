"""Times a moment, a run and a request in a process that records: see `benchmarks.observe`."""

import asyncio
import json
import statistics
import time
from typing import Any, Final

from benchmarks.observed import service
from benchmarks.recording import EVENTS, fastest_us
from blockpoint import observe

PAIRS: Final = 300
REQUESTS: Final = 100
BODY: Final = json.dumps({"task_id": "0" * 16, "kind": "sleep", "duration_ms": 0}).encode()
HEADERS: Final = {
    "host": "127.0.0.1:8000",
    "user-agent": "Mozilla/5.0",
    "accept-encoding": "gzip, deflate, br",
    "content-type": "application/json",
    "content-length": str(len(BODY)),
    observe.HEADER: "0" * 16,
}


def moment() -> None:
    for task_id in range(EVENTS):
        observe.record(task_id, observe.STARTED, 1)


@observe.observed
def nothing() -> None:
    """Do nothing."""


def run() -> None:
    for task_id in range(EVENTS // 2):
        observe.enter(task_id)
        nothing()


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": BODY, "more_body": False}


async def send(_message: observe.Message) -> None:
    """Take what is sent."""


async def request_us(app: observe.App) -> float:
    """Return what a request with its task takes of an application, without a server."""
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    known = {"type": "http", "method": "POST", "path": "/tasks", "query_string": b"", "headers": headers}
    started_s = time.process_time()
    for _ in range(REQUESTS):
        await app(dict(known), receive, send)
    return (time.process_time() - started_s) / REQUESTS * 1e6


async def added_us(app: observe.App) -> float:
    """Return what an application's request takes more than a bare one's: the median of pairs, by turns."""
    bare = service(observing=False)
    added = []
    for pair in range(PAIRS):
        first, second = (app, bare) if pair % 2 else (bare, app)
        first_us, second_us = await request_us(first), await request_us(second)
        added.append(first_us - second_us if pair % 2 else second_us - first_us)
    return statistics.median(added)


class FourMoments:
    """Records as many moments a request as its task has, and does nothing else."""

    def __init__(self, app: observe.App) -> None:
        self._app = app

    async def __call__(self, scope: observe.Scope, receive: Any, send: observe.Send) -> None:
        """Serve a request."""
        for number in range(observe.RECEIVED, observe.FINISHED + 1):
            observe.record(0, number)
        await self._app(scope, receive, send)


if __name__ == "__main__":
    if not observe.RECORDING:
        raise SystemExit(f"{observe.VARIABLE} names no folder")
    floor = service(observing=False)
    floor.add_middleware(FourMoments)
    found = {
        "moment": fastest_us(moment),
        "run": 2 * fastest_us(run),
        "request": asyncio.run(added_us(service())),
        "floor": asyncio.run(added_us(floor)),
    }
    print(json.dumps(found))
