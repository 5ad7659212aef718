"""What the web process sees of itself: how late its event loop is and how full AnyIO's pool."""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.process_collector import ProcessCollector

from blockpoint.observe import RecordFile

PREFIX = "probes"
LOOK_S = 0.02
RECORD_EVERY_NS = 100_000_000
LAYOUT = struct.Struct("<qqi4x")
"""`results.columns.PROBE_RECORD`"""


class Probes:
    """Measures loop lag every 20 ms and writes the worst of each 100 ms to the process's file."""

    def __init__(self, folder: Path | None) -> None:
        self._append = RecordFile(folder, PREFIX, LAYOUT).append
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._lag = Gauge(
            "blockpoint_event_loop_lag_seconds",
            "Worst lateness of the event loop since the last record",
            registry=self.registry,
        )
        self._in_use = Gauge(
            "blockpoint_anyio_tokens_in_use",
            "Borrowed tokens of AnyIO's default thread limiter",
            registry=self.registry,
        )
        self.tasks = Counter(
            "blockpoint_tasks", "Tasks by what became of the request", ["result"], registry=self.registry
        )

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

    def exposition(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

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
                self._lag.set(worst_ns / 1e9)
                self._in_use.set(tokens)
                worst_ns = tokens = 0
                recorded_ns = now_ns
