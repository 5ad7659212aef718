import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.queueing import blocking
from analysis.queueing.blocking import blocking_rate
from analysis.queueing.replay import fifo_servers, replay
from results.schema import Service
from results.traffic import USUAL, Traffic

ALL = ["accept", "ping", "ping_sync"]
POOL = Service(law="pool", slots=40, shares=["ping_sync"])
LOOP = Service(law="loop", slots=1, shares=ALL)
WORKER = Service(law="poll", slots=10, poll_s=0.5, read_limit=100)
AWAITED = Service(law="await", slots=0, shares=["accept"])
OWN = Service(law="pool", slots=40)


def rate(service: Service, duration_ms: float, kind: str = "sleep", **conditions: Any) -> float:
    found = blocking_rate(service, kind, duration_ms, cores=2, **conditions)
    assert found is not None
    return found


def test_a_shared_pool_blocks_a_little_below_its_ceiling() -> None:
    assert 150 < rate(POOL, 200) < 200
    assert 720 < rate(POOL, 50) < 800


def test_longer_tasks_block_further_below_it() -> None:
    blocked_at = [rate(POOL, ms) * ms / 40_000 for ms in (20, 100, 500, 2000)]
    assert blocked_at == sorted(blocked_at, reverse=True)


def test_a_loop_blocked_by_tasks_longer_than_the_limit_blocks_almost_at_once() -> None:
    alone = Service(law="loop", slots=1, shares=["ping"])
    assert rate(alone, 200, seconds=300) == pytest.approx(0.1, rel=0.25)
    assert rate(LOOP, 200, seconds=300) <= rate(alone, 200, seconds=300)
    assert 100 < rate(LOOP, 5) < 180


def test_never_below_one_task_a_trial() -> None:
    assert rate(LOOP, 5000, seconds=10) == pytest.approx(0.1, rel=0.02)


def test_a_reply_that_awaits_a_task_longer_than_the_limit_always_blocks() -> None:
    assert blocking_rate(AWAITED, "sleep", 200, 2) == 0
    assert blocking_rate(AWAITED, "sleep", 50, 2) == math.inf
    computing = Service(law="await", slots=1, shares=ALL)
    assert rate(computing, 20, "cpu") <= rate(LOOP, 20, "cpu")


@pytest.mark.parametrize(
    ("why", "service", "kind", "apart", "predicted"),
    [
        ("nothing shares the pool", Service(law="pool", slots=40), "sleep", False, math.inf),
        ("nothing shares a worker", WORKER, "sleep", True, math.inf),
        ("coroutines side by side", Service(law="await", slots=0), "sleep", False, math.inf),
        ("computing in workers", Service(law="pool", slots=2), "cpu", True, math.inf),
        ("computing in processes", Service(law="pool", slots=2, processes=2), "cpu", False, math.inf),
        ("threads that take turns at the GIL", POOL, "cpu", False, None),
        ("threads of their own, at the same GIL", Service(law="pool", slots=40), "cpu", False, None),
        ("threads at the same core", Service(law="pool", slots=40), "cpu_native", False, None),
        ("a GIL in each process, and a core", replace(OWN, processes=2, pools=2), "cpu", False, None),
        ("pools that share a core", POOL.in_each_of(4), "cpu_native", False, None),
        ("requests that wait for a poll", replace(WORKER, shares=["ping"]), "sleep", False, None),
    ],
)
def test_no_law_is_told_apart_from_nothing_shared(
    why: str, service: Service, kind: str, apart: bool, predicted: float | None
) -> None:
    assert blocking_rate(service, kind, 200, 2, apart=apart) == predicted, why


def test_what_comes_unevenly_or_varies_blocks_earlier() -> None:
    steady, varied, bursts = (
        rate(POOL, 100, seconds=30, traffic=traffic) for traffic in (USUAL, Traffic(cv=2), Traffic("onoff"))
    )
    assert bursts < 0.7 * varied < 0.7 * steady


@pytest.mark.parametrize("cv", [0, 1])
def test_several_pools_block_as_each_of_them_does_and_before_one_of_as_many_servers(cv: float) -> None:
    four = POOL.in_each_of(4)
    alone, several, together = (
        rate(each, 500, seconds=10, traffic=Traffic(cv=cv)) for each in (POOL, four, replace(four, pools=1))
    )
    assert several == pytest.approx(4 * alone, rel=0.15)
    assert several < 0.98 * together


def test_several_loops_block_as_each_of_them_does() -> None:
    alone, several = (rate(each, 20, seconds=60) for each in (LOOP, LOOP.in_each_of(4)))
    assert several == pytest.approx(4 * alone, rel=0.15)


def test_evenly_spaced_tasks_block_at_the_ceiling() -> None:
    assert rate(POOL, 100, seconds=60, traffic=Traffic("constant")) == pytest.approx(400, rel=0.03)


def test_the_tasks_of_a_trace_are_replayed(tmp_path: Path) -> None:
    """Pairs of tasks on a loop: the second one waits for the first, whatever the rate."""
    file = tmp_path / "pairs"
    file.write_text("".join(f"{at}\n{at + 0.001}\n" for at in range(10)))
    alone = Service(law="loop", slots=1, shares=["accept"])
    traffic = Traffic("trace", trace=str(file))
    assert rate(alone, 150, seconds=60, traffic=Traffic("constant")) > 6
    assert rate(alone, 150, seconds=60, traffic=traffic) < 0.1


def test_a_reply_that_awaits_its_task_blocks_by_the_slowest_percent_of_them() -> None:
    varied = Traffic(cv=1)
    assert blocking_rate(AWAITED, "sleep", 20, 2, traffic=varied) == math.inf
    assert blocking_rate(AWAITED, "sleep", 50, 2, traffic=varied) == 0
    assert blocking_rate(AWAITED, "sleep", 50, 2) == math.inf


def test_tasks_that_take_no_time_have_no_law() -> None:
    assert blocking_rate(POOL, "sleep", 0, 2) is None


def test_it_follows_the_queue_at_few_rates_and_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    p99_s, rates = blocking._Queue.p99_s, []

    def followed(queue: blocking._Queue, rate_per_s: float) -> float:
        rates.append(rate_per_s)
        return p99_s(queue, rate_per_s)

    monkeypatch.setattr(blocking._Queue, "p99_s", followed)
    first = blocking_rate(POOL, "sleep", 12, 2, seconds=21)
    assert 1 < len(rates) <= 15
    once = list(rates)
    assert blocking_rate(POOL, "sleep", 12, 2, seconds=21) == first
    assert rates == once


@pytest.mark.parametrize(
    ("service", "kind", "servers"),
    [
        (POOL, "sleep", 40),
        (POOL, "cpu", None),
        (POOL, "cpu_native", None),
        (Service(law="pool", slots=2, processes=2), "cpu", 2),
        (Service(law="pool", slots=2, processes=2), "cpu_native", 2),
        (LOOP, "sleep", 1),
        (Service(law="loop", slots=4, processes=4), "cpu", 2),
        (AWAITED, "sleep", 0),
        (AWAITED, "cpu", 1),
        (AWAITED.in_each_of(2), "sleep", 0),
        (POOL.in_each_of(2), "sleep", None),
    ],
)
def test_how_many_servers_a_queue_has(service: Service, kind: str, servers: int | None) -> None:
    assert fifo_servers(service, kind, cores=2) == servers


def test_a_shared_pool_makes_a_def_endpoint_wait_twice() -> None:
    due = np.zeros(4)
    found = replay(
        Service(law="pool", slots=1, shares=["ping_sync"]),
        1,
        due,
        np.ones(4),
        {"ping": np.array([0.5]), "ping_sync": np.array([1.5])},
    )
    assert found.start_s.tolist() == [0, 1, 2, 3]
    assert list(found.latency_s) == ["ping_sync"]
    assert found.latency_s["ping_sync"][0] == pytest.approx(2.5, abs=0.01)


def test_a_blocked_loop_replies_before_the_task_and_an_awaiting_endpoint_after_it() -> None:
    due, held = np.array([0.0, 0.2]), np.ones(2)
    ping = {"ping": np.array([0.5])}
    before = replay(LOOP, 1, due, held, ping).latency_s
    after = replay(Service(law="await", slots=1, shares=ALL), 1, due, held, ping).latency_s
    assert before["accept"].tolist() == pytest.approx([0, 0.8])
    assert after["accept"].tolist() == pytest.approx([1, 1.8])
    assert before["ping"][0] == after["ping"][0] == pytest.approx(1.5, abs=0.01)
    assert replay(AWAITED, 0, due, held, ping).latency_s["accept"].tolist() == [1, 1]
