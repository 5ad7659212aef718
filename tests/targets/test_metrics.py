"""What a scrape sees: the ledgers' count, the broker's queues, the loop and the pool."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.target.broker import Broker, free_port
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis
from results.terms import Moment
from targets.ledger import Ledger
from targets.metrics import Metrics
from targets.probes import Probes
from targets.settings import Settings
from targets.tally import Tally
from targets.waiting import Waiting

NOWHERE = Waiting("", ["a list"], Settings())


def scraped(metrics: Metrics) -> dict[str, float]:
    text = asyncio.run(metrics.exposition()).decode()
    found = re.findall(r"^blockpoint_(\S+?) ?(\{.*\})? (\S+)$", text, re.MULTILINE)
    return {name + labels: float(value) for name, labels, value in found}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with family() as members, embedded_redis(members, tmp_path_factory.mktemp("broker"), Pinning()) as broker:
        yield broker


def test_backlog_and_runs_are_those_of_all_processes_since_the_folder_began(tmp_path: Path) -> None:
    web, worker = Ledger(tmp_path), Ledger(tmp_path)
    metrics = Metrics(Probes(None), Tally(tmp_path, max_attempts=2), NOWHERE)
    for task in (1, 2, 3, 4):
        web.record(task, Moment.ACCEPTED)
    for task in (1, 2, 3):
        worker.record(task, Moment.STARTED, 1)
    worker.record(1, Moment.FINISHED, 1)
    worker.record(2, Moment.FAILED, 1)
    seen = scraped(metrics)
    assert (seen["backlog_tasks"], seen["running_tasks"], seen["tasks_ended_total"]) == (3, 1, 1)
    worker.record(2, Moment.STARTED, 2)
    worker.record(2, Moment.FAILED, 2)
    worker.record(3, Moment.INTERRUPTED, 1)
    seen = scraped(metrics)
    assert (seen["backlog_tasks"], seen["running_tasks"], seen["tasks_ended_total"]) == (2, 0, 2)
    metrics.close()


def test_a_scrape_after_the_end_is_answered_like_any_other(tmp_path: Path) -> None:
    metrics = Metrics(Probes(None), Tally(tmp_path, max_attempts=1), NOWHERE)
    before = scraped(metrics)
    metrics.close()
    assert scraped(metrics).keys() == before.keys()
    metrics.close()


def test_nothing_is_said_of_what_cannot_be_known() -> None:
    seen = scraped(Metrics(Probes(None), None, NOWHERE))
    assert {"event_loop_lag_seconds", "anyio_tokens", "anyio_waiting"} <= seen.keys()
    assert not [name for name in seen if "backlog" in name or "running" in name or "depth" in name]


def test_depth_is_what_each_queue_holds(broker: Broker) -> None:
    client = broker.client
    client.rpush("a list", "task", "task")
    client.zadd("a set", {"task": 1})
    client.xadd("a stream", {"task": "1"})
    queues = ["a list", "a set", "a stream", "none yet"]
    metrics = Metrics(Probes(None), None, Waiting("redis", queues, Settings(redis_url=broker.url)))
    depths = [scraped(metrics)[f'queue_depth_tasks{{queue="{queue}"}}'] for queue in queues]
    assert depths == [2, 1, 1, 0]
    client.client_kill_filter(_type="normal", skipme=True)
    asyncio.run(metrics.exposition())  # finds the connection gone
    assert scraped(metrics)['queue_depth_tasks{queue="a list"}'] == 2
    metrics.close()


def test_a_broker_that_does_not_answer_takes_nothing_else_along() -> None:
    silent = Waiting("redis", ["a list"], Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    metrics = Metrics(Probes(None), None, silent)
    seen = scraped(metrics)
    assert "anyio_tokens" in seen
    assert not [name for name in seen if "depth" in name]
    metrics.close()


def test_a_standstill_of_the_loop_is_seen_by_whoever_asks_later() -> None:
    probes = Probes(None)

    async def stands_still() -> None:
        async with probes.running():
            await asyncio.sleep(0.05)
            time.sleep(0.3)  # noqa: ASYNC251 -- that is what is to be seen
            await asyncio.sleep(0.3)

    asyncio.run(stands_still())
    assert probes.seen()["event_loop_lag_seconds"] >= 0.25
