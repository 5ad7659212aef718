"""Calls to the HTTP server of the sink, as an application would make them.

The clients are those that take the least of the target's own core: measured for one request over a kept
connection, http.client takes 94 µs of CPU (urllib3, which requests stands on, 191), and aiohttp 70 (httpx
1,440: it would keep a core busy with 700 calls a second). Both keep their connections, one for each call
under way.
"""

import asyncio
import threading
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from results.descriptors import allow_many
from targets.task import MAX_DURATION_MS

if TYPE_CHECKING:
    from aiohttp import ClientSession

LIMIT_S = MAX_DURATION_MS / 1000 + 10
"""longer than the longest delay: a call that takes this long has lost its server"""
_own = threading.local()
_sessions: "WeakKeyDictionary[asyncio.AbstractEventLoop, ClientSession]" = WeakKeyDictionary()


class CallFailedError(RuntimeError):
    """Raised where the sink answers anything but 200."""


def call(address: str, delay_ms: float) -> None:
    """Ask the server at `host:port` for an answer so late, blocking; this thread keeps the connection."""
    connection: HTTPConnection | None = getattr(_own, "connection", None)
    if connection is None or f"{connection.host}:{connection.port}" != address:
        connection = _own.connection = HTTPConnection(address, timeout=LIMIT_S)
    try:
        connection.request("GET", _path(delay_ms))
        reply = connection.getresponse()
        reply.read()
    except (OSError, HTTPException):
        connection.close()  # the next call opens another
        raise
    if reply.status != 200:
        raise CallFailedError(f"the sink answered {reply.status}")


async def call_awaiting(address: str, delay_ms: float) -> None:
    """Ask the same without blocking the event loop, beside any number of others."""
    async with _session().get(f"http://{address}{_path(delay_ms)}") as reply:
        await reply.read()
    if reply.status != 200:
        raise CallFailedError(f"the sink answered {reply.status}")


async def close() -> None:
    """Close the connections of this event loop."""
    if session := _sessions.pop(asyncio.get_running_loop(), None):
        await session.close()


def _session() -> "ClientSession":
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None:
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        allow_many()
        # by default aiohttp would let 100 calls run at once: a pool of slots that no strategy declares
        connector = TCPConnector(limit=0)
        session = ClientSession(connector=connector, timeout=ClientTimeout(total=LIMIT_S))
        _sessions[loop] = session
    return session


def _path(delay_ms: float) -> str:
    return f"/?ms={delay_ms:.3f}"
