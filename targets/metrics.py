"""What a target tells Prometheus: looked at when a scrape comes, and never by the request."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from targets.probes import Probes
from targets.tally import Tally
from targets.waiting import Waiting

GAUGES: Final = {
    "event_loop_lag_seconds": "Worst lateness of the event loop in the last 15 s",
    "anyio_tokens_in_use": "Most borrowed tokens of AnyIO's default thread limiter in the last 15 s",
    "anyio_tokens": "Tokens that the limiter has",
    "anyio_waiting": "Calls that wait for a token",
    "backlog_tasks": "Tasks accepted and not ended, by the ledger of all processes",
    "running_tasks": "Runs begun and not over, by the ledger of all processes",
}
ENDED: Final = "Tasks finished or failed for good, by the ledger of all processes"


class Metrics:
    """The metrics of one web process and, where they share a folder or a broker with it, of its workers."""

    def __init__(self, probes: Probes, tally: Tally | None, waiting: Waiting) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.tasks = Counter(
            "blockpoint_tasks", "Tasks by what became of the request", ["result"], registry=self.registry
        )
        self.registry.register(self)
        self._probes = probes
        self._tally = tally
        self._waiting = waiting
        self._thread: ThreadPoolExecutor | None = None
        self._seen: Mapping[str, float] = {}
        self._depths: Mapping[str, int] = {}

    async def exposition(self) -> bytes:
        """Look, and return the metrics in Prometheus' text format."""
        self._thread = self._thread or ThreadPoolExecutor(1, "blockpoint-metrics")
        counted = asyncio.get_running_loop().run_in_executor(self._thread, self._counted)
        self._depths = await self._waiting.now()
        self._seen = {**self._probes.seen(), **_pool(), **await counted}
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Yield what the last look saw."""
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"blockpoint_{name}", text, self._seen.get(name))
        yield CounterMetricFamily("blockpoint_tasks_ended", ENDED, self._seen.get("tasks_ended"))
        depth = GaugeMetricFamily("blockpoint_queue_depth_tasks", "What the broker holds", labels=["queue"])
        for queue, held in self._depths.items():
            depth.add_metric([queue], held)
        yield depth

    def close(self) -> None:
        """Let go of threads and connection, until the next look."""
        self._waiting.close()
        if self._thread:
            self._thread.shutdown()
            self._thread = None

    def _counted(self) -> dict[str, float]:
        if self._tally is None:
            return {}
        outstanding, running = self._tally.outstanding(), self._tally.started - self._tally.stopped
        return {
            "backlog_tasks": max(outstanding, 0),  # a task may end before its acceptance is recorded
            "running_tasks": running,
            "tasks_ended": self._tally.ended,
        }


def _pool() -> dict[str, float]:
    limiter = anyio.to_thread.current_default_thread_limiter()
    return {
        "anyio_tokens": limiter.total_tokens,
        "anyio_waiting": limiter.statistics().tasks_waiting,
    }
