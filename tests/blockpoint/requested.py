"""Requests that follow each other in one context, to an application that runs a task in each."""

import asyncio
from typing import Any

from blockpoint import observe

ID = b"x-blockpoint-id"
NO_REPLY = 0
ACCEPTED, REFUSED = ["RECEIVED", "ACCEPTED", "STARTED", "FINISHED"], ["RECEIVED", "STARTED", "FINISHED"]
REQUESTS: list[tuple[bytes, bytes, int, list[str]]] = [
    (ID, b"00000000000000fF", 202, ACCEPTED),
    (ID, b"ffffffffffffffff", 303, ACCEPTED),
    (b"x-other", b"0000000000000001", 202, []),
    (ID, b"0000000000000002", 307, REFUSED),
    (ID, b"0000000000000003", 404, REFUSED),
    (ID, b"0000000000000004", NO_REPLY, REFUSED),
    (ID, b"-000000000000005", 202, []),
    (ID, b"0x00000000000006", 202, []),
    (ID, b"00 00 00 00 00 0", 202, []),
    (ID, "é".encode() * 8, 202, []),
    (ID, b"7", 202, []),
]
"""a header, what it says, the status of the reply, and the moments that are recorded"""
JOB = b"0000000000000008"


async def app(scope: observe.Scope, _receive: Any, send: observe.Send) -> None:
    if scope["status"] != NO_REPLY:
        await send({"type": "http.response.start", "status": scope["status"]})
    observe.observed(str)()


async def sent(_message: observe.Message) -> None:
    """Take what is sent."""


async def ask() -> None:
    usual, own = observe.Requests(app), observe.Requests(app, header="X-Job")
    for name, value, status, _ in REQUESTS:
        headers = [(b"host", b"here"), (name, value)]
        await usual({"type": "http", "headers": headers, "status": status}, None, sent)
    await own({"type": "http", "headers": [(b"x-job", JOB)], "status": 202}, None, sent)


if __name__ == "__main__":
    asyncio.run(ask())
