"""What share of its time a coroutine keeps the event loop from others."""

import asyncio
import selectors
import time


class Waits(selectors.DefaultSelector):
    """A selector that adds up how long the loop had nothing to do but wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait, and note for how long; a look without waiting is the loop's own work."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        began_s = time.perf_counter()
        found = super().select(timeout)
        self.waited_s += time.perf_counter() - began_s
        return found


class WatchedLoop:
    """An event loop of which is known how long it was kept."""

    def __init__(self) -> None:
        self._waits = Waits()
        self.runner = asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self._waits))

    @property
    def waited_s(self) -> float:
        """How long it has waited in all."""
        return self._waits.waited_s
