"""Publishing that a hung or absent broker cannot hold up, for clients that are coroutines."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from targets.strategy import UnreachableError


async def publish_within(
    limit_s: float, publishing: Coroutine[Any, Any, Any], faults: tuple[type[Exception], ...]
) -> None:
    """Await what publishes a task; raises UnreachableError for these faults, or when the time is over."""
    publishes = asyncio.create_task(publishing)
    # wait_for would also wait until the client has cleaned up, which may ask the server that does not answer
    await asyncio.wait({publishes}, timeout=limit_s)
    if not publishes.done():
        publishes.add_done_callback(_forget)
        publishes.cancel()
        raise UnreachableError
    try:
        publishes.result()
    except faults as error:
        raise UnreachableError from error


def _forget(ended: asyncio.Task[Any]) -> None:
    if not ended.cancelled():
        ended.exception()
