import asyncio
import contextlib

import pytest

from targets.publishing import publish_within
from targets.strategy import UnreachableError

NEVER_S = 60.0


async def refused() -> None:
    raise ConnectionRefusedError


def test_what_is_published_in_time_is_published() -> None:
    asyncio.run(publish_within(NEVER_S, asyncio.sleep(0)))


def test_what_is_refused_or_late_is_unreachable() -> None:
    with pytest.raises(UnreachableError):
        asyncio.run(publish_within(NEVER_S, refused(), OSError))
    with pytest.raises(UnreachableError):
        asyncio.run(publish_within(0.01, asyncio.sleep(NEVER_S)))


def test_an_error_that_was_not_named_is_raised_as_it_is() -> None:
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(publish_within(NEVER_S, refused(), KeyError))


def test_a_publish_that_does_not_let_itself_be_cancelled_is_not_waited_for() -> None:
    async def publish() -> None:
        stubborn = asyncio.Event()

        async def publishing() -> None:
            while not stubborn.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await stubborn.wait()

        try:
            with pytest.raises(UnreachableError):
                await publish_within(0.01, publishing())
        finally:
            stubborn.set()

    asyncio.run(publish())
