"""That Locust's own statistics say what the schedule and the rows say."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.histogram import bucket, response_time_at
from results.percentile import percentile
from tests.loadtests.conftest import Locust, Ran, two_processes

SHARES = [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]


@given(st.lists(st.floats(0.01, 1e5), max_size=300), st.sampled_from(SHARES))
def test_its_percentiles_are_ours_to_three_digits(values: list[float], share: float) -> None:
    buckets = [bucket(value) for value in values]
    histogram = {value: buckets.count(value) for value in set(buckets)}
    found = response_time_at(histogram, len(values), share)
    assert found == (bucket(percentile(values, 100 * share)) if values else 0)


def check(ran: Ran, prefix: Path, page: Path, seconds: float) -> None:
    requests, bystanders = ran.table("requests"), ran.table("bystanders")
    latencies_ms = {
        "/tasks": (requests.replied_ns - requests.due_ns) / 1e6,
        "/ping": (bystanders.replied_ns - bystanders.due_ns)[bystanders.stream == 1] / 1e6,
        "Aggregated": (pd.concat([requests, bystanders]).eval("replied_ns - due_ns")) / 1e6,
    }
    with prefix.with_name("x_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    for name, latency_ms in latencies_ms.items():
        assert int(rows[name]["Request Count"]) == len(latency_ms)
        assert float(rows[name]["Requests/s"]) == pytest.approx(len(latency_ms) / seconds, rel=1e-6)
        for share in SHARES:
            shown = float(rows[name][f"{round(100 * share, 6):g}%"])
            assert shown == bucket(percentile(np.asarray(latency_ms), 100 * share))
    offered = f"{len(requests) / seconds:.2f}"
    assert re.search(rf"POST +/tasks .*\| +{offered} ", ran.output)
    rates = [float(found) for found in re.findall(r'"total_rps": ?([\d.]+)', page.read_text())]
    assert rates[-1] == pytest.approx(float(rows["Aggregated"]["Requests/s"]))
    with prefix.with_name("x_stats_history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert int(history[-1]["Total Request Count"]) == len(latencies_ms["Aggregated"])


@pytest.mark.e2e
@pytest.mark.parametrize("workers", [False, True], ids=["alone", "with workers"])
def test_requests_per_second_are_counted_over_the_schedule(
    locust: Locust, target: str, *, workers: bool
) -> None:
    """40 threads and 200 ms a task: what waits for one of them is answered long after the schedule."""
    prefix, page = locust.folder / "x", locust.folder / "page.html"
    ran = locust.run(
        "steady",
        *("--host", target, "--rate", "400", "--seconds", "2", "--duration-ms", "200", "--allow-errors"),
        *("--csv", str(prefix), "--html", str(page), *(two_processes() if workers else ())),
    )
    load = ran.load
    assert load.accepted == load.scheduled == 800
    assert load.drained_ns - load.steps[-1].to_ns > 1e9
    check(ran, prefix, page, seconds=2.0)
