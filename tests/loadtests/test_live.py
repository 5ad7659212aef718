"""What Prometheus sees of a run while it lasts."""

import re
import signal

import httpx
import numpy as np
import pytest

from loadtests.openloop.live import progress
from results.terms import NEVER
from tests.loadtests.conftest import Locust, free_port, two_processes, wait_until
from tests.loadtests.scripted import scripted


def test_slip_is_that_of_the_requests_sent_since_the_last_report() -> None:
    due_ns = np.arange(4) * 10**9
    part = progress(due_ns, np.array([1_000_000, NEVER, 2 * 10**9 + 3_000_000, NEVER]), 10, 3, 2)
    assert part == {"due": 10, "sent": 7, "shed": 3, "in_flight": 2, "slip_p99_seconds": pytest.approx(0.003)}
    assert progress(due_ns[:0], due_ns[:0], 10, 3, 0)["slip_p99_seconds"] == 0.0


@pytest.mark.e2e
@pytest.mark.parametrize("generators", [1, 2])
def test_a_run_is_watched_while_it_lasts(locust: Locust, generators: int) -> None:
    processes = two_processes() if generators == 2 else ()
    url = f"http://127.0.0.1:{(port := free_port())}/metrics"

    def figures(name: str) -> list[float]:
        try:
            text = httpx.get(url, timeout=5).text
        except httpx.TransportError:
            return []
        found = re.findall(rf"^blockpoint_load_{name}{{[^}}]*}} (\S+)$", text, re.MULTILINE)
        return [float(each) for each in found]

    with scripted("") as server:
        options = ("--rate", "100", "--seconds", "60", "--metrics", f"127.0.0.1:{port}", *processes)
        process, out = locust.start(
            "steady", "--headless", "--only-summary", "--host", server.url, "--allow-errors", *options
        )
        wait_until(lambda: len(figures("latency_seconds")) >= 3 * 3 and sum(figures("sent_total")) > 100)
        due, sent = sum(figures("due_total")), sum(figures("sent_total"))
        assert 100 < sent <= sum(figures("due_total"))
        assert len(figures("slip_p99_seconds")) == generators
        assert all(0 < latency < 60 for latency in figures("latency_seconds"))
        ran = locust.interrupt(process, out, signal.SIGINT)
    assert due <= ran.load.scheduled + len(ran.table("bystanders"))
