"""A run while it lasts, for Prometheus: what is due and sent, how late, and what the target answers.

The leading process serves it. Workers tell their part with Locust's own reports, every three seconds, so that
a scrape costs them nothing; latencies are those of Locust's statistics, from the due time.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from results.errors import BlockpointError
from results.percentile import percentile

Progress = Mapping[str, float]
PART = "blockpoint"
"""where a worker's part stands in Locust's report"""
ALONE = "alone"
"""what a generator without workers is called: a label without a value is none"""
QUANTILES = (0.5, 0.9, 0.99)
COUNTED = {
    "due": "Requests that the schedule wanted by now: the offered load.",
    "sent": "Requests that were sent: the achieved load.",
    "shed": "Requests that were never sent, since too many were in flight.",
}
MEASURED = {
    "in_flight": "Requests that wait for their answer.",
    "slip_p99_seconds": "How late the requests were sent since the last report, 99th percentile.",
}


def progress(due_ns: np.ndarray, sent_ns: np.ndarray, due: int, shed: int, in_flight: int) -> Progress:
    """Return one process's part; of the rows since its last, when due and when sent (below 0: never)."""
    slip_ns = (sent_ns - due_ns)[sent_ns >= 0]
    slip_s = percentile(slip_ns, 99) / 1e9 if len(slip_ns) else 0.0
    return {"due": due, "sent": due - shed, "shed": shed, "in_flight": in_flight, "slip_p99_seconds": slip_s}


class Live:
    """What the leading process knows of a run in progress, as a Prometheus collector."""

    def __init__(self, environment: Any, own: Callable[[], Progress | None]) -> None:
        self._stats = environment.stats
        self._own = own
        self._parts: dict[str, Progress] = {}
        environment.events.worker_report.add_listener(self._hear)

    def serve(self, address: str) -> None:
        """Serve `/metrics` at `HOST:PORT` as long as the process lives; raises BlockpointError."""
        host, _, port = address.rpartition(":")
        registry = CollectorRegistry()
        registry.register(self)

        def answer(_: Any, start: Callable[..., Any]) -> list[bytes]:
            start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest(registry)]

        try:
            WSGIServer((host, int(port)), answer, log=None, error_log=None).start()
        except (OSError, ValueError, OverflowError) as error:
            raise BlockpointError(f"--metrics: cannot serve at {address!r}: {error}") from None

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of now."""
        own = self._own()
        parts = {**self._parts, **({ALONE: own} if own is not None else {})}
        for name, text in COUNTED.items():
            counter = CounterMetricFamily(f"blockpoint_load_{name}", text, labels=["generator"])
            for generator, part in parts.items():
                counter.add_metric([generator], part[name])
            yield counter
        for name, text in MEASURED.items():
            gauge = GaugeMetricFamily(f"blockpoint_load_{name}", text, labels=["generator"])
            for generator, part in parts.items():
                gauge.add_metric([generator], part[name])
            yield gauge
        yield from self._answers()

    def _answers(self) -> Iterator[Metric]:
        answered = CounterMetricFamily("blockpoint_load_ended", "Requests that ended.", labels=["path"])
        failed = CounterMetricFamily("blockpoint_load_failed", "Those without a 2xx answer.", labels=["path"])
        latency = GaugeMetricFamily(
            "blockpoint_load_latency_seconds",
            "From the due time to the answer, of the last ten seconds.",
            labels=["path", "quantile"],
        )
        for entry in list(self._stats.entries.values()):
            answered.add_metric([entry.name], entry.num_requests)
            failed.add_metric([entry.name], entry.num_failures)
            for quantile in QUANTILES:
                found_ms = entry.get_current_response_time_percentile(quantile)
                if found_ms is not None:
                    latency.add_metric([entry.name, f"{quantile:g}"], found_ms / 1e3)
        yield from (answered, failed, latency)

    def _hear(self, client_id: str, data: Mapping[str, Any], **_: Any) -> None:
        if part := data.get(PART):
            self._parts[client_id] = part
