"""Publishing beside the event loop, and in bounded time."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from targets.strategy import UnreachableError

ACCEPT_LIMIT_S: Final = 3.0
"""after which the durable variants answer that the broker cannot be reached"""

PUBLISHERS: Final = 4


class Publishers:
    """Threads of a strategy's own that publish: the event loop goes on meanwhile."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(PUBLISHERS, thread_name_prefix="publish")

    def run(self, publish: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        """Publish in one of them; what is returned is over when that is."""
        return asyncio.get_running_loop().run_in_executor(self._threads, publish, *arguments)

    async def close(self) -> None:
        """Wait for publishes under way."""
        await asyncio.to_thread(self._threads.shutdown)


async def publish_within(
    limit_s: float, publishing: Coroutine[Any, Any, Any], *errors: type[Exception]
) -> None:
    """Await a publish; raises UnreachableError after `limit_s` at the latest, and for the errors named.

    It does not wait until what is late has been cancelled: a client may ask the server for that, too, which
    does not answer.
    """
    task = asyncio.create_task(publishing)
    await asyncio.wait({task}, timeout=limit_s)
    if not task.done():
        task.add_done_callback(_forget)
        task.cancel()
        raise UnreachableError
    try:
        task.result()
    except errors as error:
        raise UnreachableError from error


def _forget(ended: "asyncio.Task[Any]") -> None:
    if not ended.cancelled():
        ended.exception()
