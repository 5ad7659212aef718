"""A connection of streaQ's that is there as soon as there is a server, and that only one task may close."""

import asyncio
from typing import Any

from coredis.exceptions import RedisError
from streaq import Worker

PAUSE_S = 1.0


class Holding:
    """Keeps a worker's context open, which one and the same task has to enter and to leave."""

    def __init__(self, client: "Worker[Any]") -> None:
        """Begin to connect, for as long as it takes."""
        self._client = client
        self._open, self._over = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        while not self._over.is_set():
            try:
                async with self._client:
                    self._open.set()
                    await self._over.wait()
            except* (RedisError, OSError):
                await asyncio.sleep(PAUSE_S)

    async def opened(self) -> None:
        """Wait until there is a connection."""
        await self._open.wait()

    async def close(self) -> None:
        """Disconnect, or no longer try to connect."""
        self._over.set()
        if not self._open.is_set():
            self._task.cancel()
        await asyncio.wait({self._task})
