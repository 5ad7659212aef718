"""What the web process sees of itself: how late its event loop is and how full AnyIO's pool."""

import asyncio
import contextlib
import struct
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread

from blockpoint.observe import RecordFile

PREFIX = "probes"
LOOK_S = 0.02
RECORD_EVERY_NS = 100_000_000
REMEMBERED = 150
"""records, 15 s: whoever asks less often misses some"""
LAYOUT = struct.Struct("<qqi4x")
"""`results.columns.PROBE_RECORD`"""


class Probes:
    """Measures loop lag every 20 ms and writes the worst of each 100 ms to the process's file."""

    def __init__(self, folder: Path | None) -> None:
        self._append = RecordFile(folder, PREFIX, LAYOUT).append
        self._records: deque[tuple[int, int]] = deque([(0, 0)], REMEMBERED)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look while the block runs."""
        watcher = asyncio.create_task(self._watch(), name="blockpoint-probes")
        try:
            yield
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    def seen(self) -> dict[str, float]:
        """Return the worst lateness and the fullest pool of the last 15 s."""
        lags_ns, tokens = zip(*self._records, strict=True)
        return {"event_loop_lag_seconds": max(lags_ns) / 1e9, "anyio_tokens_in_use": max(tokens)}

    async def _watch(self) -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        worst_ns = tokens = 0
        recorded_ns = time.monotonic_ns()
        while True:
            before_ns = time.monotonic_ns()
            await asyncio.sleep(LOOK_S)
            now_ns = time.monotonic_ns()
            worst_ns = max(worst_ns, now_ns - before_ns - int(LOOK_S * 1e9))
            tokens = max(tokens, int(limiter.borrowed_tokens))
            if now_ns - recorded_ns >= RECORD_EVERY_NS:
                self._append(now_ns, worst_ns, tokens)
                self._records.append((worst_ns, tokens))
                worst_ns = tokens = 0
                recorded_ns = now_ns
