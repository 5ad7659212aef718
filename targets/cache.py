"""Writes to the broker's own server, as an application's cache or counters make them: one round trip each."""

import asyncio
import time
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AwaitedRedis

VALUE = b"x" * 1024
KEYS = 256
"""written over and over: the server's memory does not grow"""
_NAMES = cycle([f"blockpoint:cache:{number}" for number in range(KEYS)])
_RUNS, _RUN_S = 5, 0.1
_LIMIT_S = 5.0
_awaited: "WeakKeyDictionary[asyncio.AbstractEventLoop, AwaitedRedis]" = WeakKeyDictionary()


def write(url: str, round_trips: float) -> None:
    """Write so often, blocking, at least once."""
    client = _client(url)
    for key in _keys(round_trips):
        client.set(key, VALUE)


async def write_awaiting(url: str, round_trips: float) -> None:
    """Write as often, letting the event loop go on during each round trip."""
    loop = asyncio.get_running_loop()
    client = _awaited.get(loop)
    if client is None:
        from redis.asyncio import Redis as AwaitedRedis

        client = _awaited[loop] = AwaitedRedis.from_url(url, socket_timeout=_LIMIT_S)
    for key in _keys(round_trips):
        await client.set(key, VALUE)


async def close() -> None:
    """Close the connections of this event loop."""
    if client := _awaited.pop(asyncio.get_running_loop(), None):
        await client.aclose()


def round_trips_per_ms(url: str) -> float:
    """Return how many writes one blocking client makes in a millisecond: the best of some runs."""
    return max(_writes_of_a_run(url) for _ in range(_RUNS)) / (_RUN_S * 1000)


def _writes_of_a_run(url: str) -> int:
    began_s, writes = time.monotonic(), 0
    while time.monotonic() < began_s + _RUN_S:
        write(url, 10)
        writes += 10
    return writes


def _keys(round_trips: float) -> Iterator[str]:
    return islice(_NAMES, max(1, round(round_trips)))


@cache
def _client(url: str) -> "Redis":
    from redis import Redis

    return Redis.from_url(url, socket_timeout=_LIMIT_S)
