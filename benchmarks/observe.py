"""What `blockpoint.observe` costs a service: a moment, and its part of a request with a background task.

    python -m benchmarks.observe [--pairs 40]

Two FastAPI applications, alike but for the middleware and the wrapped task, answer the same request by turns
in one process. They are called without a server, whose part of a request would only make the share smaller.
The share is of CPU time: median of the pairs, with its bootstrap interval.
Goals: a moment below 2 us; not more than 1 % of a request.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.processes import machine, parser, table
from results.percentile import percentile

REQUESTS = 2_000
"""of each application in a pair"""
GOAL_MOMENT_US, GOAL_SHARE = 2.0, 0.01
TASK_ID = b"00000000000000a1"
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "POST",
    "path": "/tasks",
    "raw_path": b"/tasks",
    "query_string": b"",
    "root_path": "",
    "scheme": "http",
    "headers": [
        (b"host", b"127.0.0.1"),
        (b"content-type", b"application/json"),
        (b"x-blockpoint-id", TASK_ID),
    ],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}
BODY = {"type": "http.request", "body": b'{"address": "someone@example.org"}', "more_body": False}


def work(address: str) -> None:
    """Do nothing, as cheaply as that can be done."""


def service(wrap: Callable[[Any], Any], *layers: Any) -> Any:
    """Return an application with one endpoint and the layers around it."""
    from fastapi import BackgroundTasks, FastAPI
    from pydantic import create_model

    app, task = FastAPI(), wrap(work)
    mail = create_model("Mail", address=(str, ...))

    @app.post("/tasks", status_code=202)
    async def submit(mail: mail, background: BackgroundTasks) -> dict[str, bool]:  # type: ignore[valid-type]
        background.add_task(task, mail.address)  # type: ignore[attr-defined]
        return {"accepted": True}

    for layer in layers:
        app.add_middleware(layer)
    return app


async def request_us(app: Any, times: int) -> float:
    """Return the CPU time of a request, background task and the thread that it takes included."""

    async def receive() -> dict[str, Any]:
        return BODY

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 202) == 202

    started_s = time.process_time()
    for _ in range(times):
        await app(dict(SCOPE), receive, send)
    return (time.process_time() - started_s) / times * 1e6


async def pairs(count: int) -> np.ndarray:
    """Return microseconds a request, one row a pair: observed, and not."""
    from blockpoint import observe

    apps = (service(observe.observed, observe.Requests), service(lambda function: function))
    measured = np.empty((count, 2))
    for pair in range(-1, count):
        for which in (0, 1) if pair % 2 else (1, 0):
            measured[max(pair, 0), which] = await request_us(apps[which], REQUESTS)
    return measured


def moment_us() -> float:
    """Return the cost of one moment: the fastest of several rounds."""
    from blockpoint import observe

    times_s = []
    for _ in range(100):
        started_s = time.perf_counter()
        for task_id in range(10_000):
            observe.record(task_id, observe.STARTED)
        times_s.append(time.perf_counter() - started_s)
    return min(times_s) / 10_000 * 1e6


def main() -> None:
    """Measure and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=40)
    count = options.parse_args().pairs
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BLOCKPOINT_LEDGER"] = folder  # read when the module is first imported
        moment, measured = moment_us(), asyncio.run(pairs(count))
    shares = measured[:, 0] / measured[:, 1] - 1
    draws = np.median(np.random.default_rng(1).choice(shares, (10_000, len(shares))), axis=1)
    share, low, high = float(np.median(shares)), percentile(draws, 2.5), percentile(draws, 97.5)
    observed, bare = np.median(measured, axis=0)
    met = {True: "met", False: "MISSED"}
    rows = [
        ["a moment", f"{moment:.2f} us", f"< {GOAL_MOMENT_US:g} us", met[moment < GOAL_MOMENT_US]],
        [
            "a request",
            f"{observed:.1f} us against {bare:.1f} us: {share:+.1%} [{low:+.1%}, {high:+.1%}]",
            f"at most {GOAL_SHARE:.0%}",
            met[share <= GOAL_SHARE],
        ],
    ]
    print(table(["what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
