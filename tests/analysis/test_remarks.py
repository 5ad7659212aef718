from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.report import remarks
from analysis.report.needs import Sources
from analysis.report.reach import Condition
from analysis.trials.derive import derive
from results.schema import Service
from tests.analysis.synthetic import Cell, build

TOLD = Condition("sleep", 50.0, "one-box")
POOL: dict[str, Any] = {"service": Service(law="pool", slots=4)}
POLL: dict[str, Any] = {"service": Service(law="poll", slots=4, poll_s=0.5, read_limit=100)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    folder = tmp_path_factory.mktemp("runs") / "campaign"
    cells = [Cell("background_tasks", [(r, 3, 50)], suffers=("ping_sync",), **POOL) for r in (20, 60, 120)]
    cells += [Cell("celery", [(rate, 3, 50)], workers=1, **POOL) for rate in (20, 120)]
    cells += [Cell("background_tasks", [(rate, 3, 10)], **POOL) for rate in (100, 200)]
    calm = {"celery": [(20, 3, 30), (120, 3, 30)], "threadpool": [(120, 3, 30)], "inline": [(60, 3, 30)]}
    cells += [Cell(strategy, trials, **POOL) for strategy, trials in calm.items()]
    build(folder, cells)
    derived = derive(folder)
    return Sources(derived.manifest, derived.summary, derived.points, {})


def test_what_blocks_the_api_is_told_apart_from_what_does_not(sources: Sources) -> None:
    blocked, calm = remarks.of_blocking(sources, TOLD)
    assert blocked == "The API was blocked by background_tasks/default at 120/s."
    assert calm == "At no rate tried by celery/default (tried up to 120/s)."
    assert remarks.of_blocking(sources, replace(TOLD, duration_ms=7.0)) == []
    (calm,) = remarks.of_blocking(sources, replace(TOLD, duration_ms=30.0))
    highest = "threadpool/default and celery/default (tried up to 120/s)"
    assert calm == f"At no rate tried by {highest}; inline/default (tried up to 60/s)."


def test_slots_follow_from_the_duration(sources: Sources) -> None:
    assert "50 ms make 20 tasks/s a slot" in remarks.of_slots(sources, TOLD)[0]
    assert "0.5 tasks/s a slot" in remarks.of_slots(sources, replace(TOLD, duration_ms=2000.0))[0]


def test_the_usual_way_is_told_at_each_duration(sources: Sources) -> None:
    (told,) = remarks.of_longer(sources, TOLD)
    assert told.startswith("background_tasks/default kept up with 200/s of 10 ms and 60/s of 50 ms")
    alone = replace(sources, points=sources.points[sources.points["duration_ms"] == 50])
    assert remarks.of_longer(alone, TOLD) == []


def test_only_a_long_wait_is_told_and_a_poll_blamed_only_for_what_it_can_do(sources: Sources) -> None:
    assert len(remarks.of_waiting(sources, TOLD)) == 1
    slow = replace(sources, summary=sources.summary.assign(queue_wait_p50_ms=300.0))
    told = remarks.of_waiting(slow, TOLD)
    assert told[1].endswith("half of the tasks of background_tasks/default wait 300 ms or more.")
    assert remarks.of_waiting(replace(sources, summary=sources.summary.head(0)), TOLD) == []


@pytest.mark.parametrize(("wait_ms", "blamed"), [(300.0, True), (700.0, False)])
def test_a_poll_is_blamed_for_waits_within_its_tick(runs: Path, wait_ms: float, blamed: bool) -> None:
    build(runs, [Cell("arq", [(8, 5, 50)], workers=1, **POLL)])
    derived = derive(runs)
    summary = derived.summary.assign(queue_wait_p50_ms=wait_ms, behind=False)
    told = remarks.of_waiting(Sources(derived.manifest, summary, derived.points, {}), TOLD)
    assert told[-1].endswith("its worker looks for work every 500 ms.") == blamed


def test_costs_name_the_cheapest_and_the_dearest(sources: Sources) -> None:
    cpu, memory = remarks.of_costs(sources, TOLD)
    assert cpu.count("(") == 2
    assert "background_tasks/default" in cpu
    assert memory.endswith("MiB.")
    unwatched = {
        f"{role}_{unit}": float("nan")
        for role in ("web", "worker", "broker")
        for unit in ("cpu_cores", "rss_mib")
    }
    assert remarks.of_costs(replace(sources, summary=sources.summary.assign(**unwatched)), TOLD) == []
