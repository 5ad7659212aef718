from typing import Any

import pytest

from analysis.trials.brackets import Bracket
from analysis.trials.full_cores import core_bound
from results.schema import Manifest, Service, Subject

ONE_CORE = {"web": [0], "worker": [0], "broker": [0], "generator": [1]}
SPLIT = {"web": [0], "worker": [1, 2], "broker": [0], "generator": [3]}
WIDE = {"web": [0, 1, 2], "worker": [0, 1, 2], "broker": [0, 1, 2], "generator": [3]}


def manifest(
    pinned: dict[str, list[int]], *, workers: int = 1, processes: int = 1, web_processes: int = 1
) -> Manifest:
    service = Service(law="pool", slots=40, processes=processes)
    services = dict.fromkeys(("sleep", "cpu", "cpu_native"), service)
    return Manifest(
        campaign="synthetic",
        created_at="",
        command=[],
        profile="",
        seed=1,
        topology=["one-box"],
        web_processes=web_processes,
        loop="",
        http="",
        subjects=[
            Subject(strategy="celery", variant="tuned", summary="", services=services, workers=workers)
        ],
        plans=[],
        calibration={},
        pinning={"one-box": pinned},
        environment={"host": {"cpu_count": 4}},
    )


def row(rate: float, kind: str = "sleep", **cores: float) -> dict[str, Any]:
    used = {"web": 0.1, "worker": 0.1, "broker": 0.05, "generator": 0.2} | cores
    about = {"strategy": "celery", "variant": "tuned", "kind": kind, "topology": "one-box"}
    return about | {"offered_per_s": rate} | {f"{role}_cpu_cores": taken for role, taken in used.items()}


@pytest.mark.parametrize(
    ("why", "pinned", "used", "bound"),
    [
        ("nothing is near full", ONE_CORE, {"web": 0.4}, ""),
        ("the web fills its core", ONE_CORE, {"web": 0.8}, "web"),
        ("three roles fill one core together", ONE_CORE, {"web": 0.5, "worker": 0.38}, "web"),
        ("the worker takes most of it", ONE_CORE, {"web": 0.36, "worker": 0.5}, "worker"),
        ("one of two cores of a worker", SPLIT, {"worker": 1.0}, ""),
        ("both cores of a worker", SPLIT, {"worker": 1.85}, "worker"),
        ("the worker's work is not the web's", SPLIT, {"web": 0.7, "worker": 0.9}, ""),
        ("a web process has one core of three", WIDE, {"web": 0.92}, "web"),
        ("and workers have all", WIDE, {"web": 0.5, "worker": 0.95}, ""),
        ("not pinned: the whole machine", {}, {"web": 0.8, "worker": 2.0}, ""),
        ("not pinned, and it is full", {}, {"web": 0.8, "worker": 2.7}, "worker"),
        ("no worker was seen", ONE_CORE, {"web": 0.1, "worker": float("nan"), "broker": float("nan")}, ""),
    ],
)
def test_whose_core_was_full(why: str, pinned: Any, used: dict[str, float], bound: str) -> None:
    assert core_bound([row(100, **used)], Bracket(None, 100), manifest(pinned)) == bound, why


def test_only_trials_at_an_edge_count_and_the_failed_one_first() -> None:
    full_of_work, full_of_web = {"worker": 0.7}, {"web": 0.8}
    rows = [row(100, **full_of_work), row(200, **full_of_web), row(900, **full_of_web)]
    assert core_bound(rows, Bracket(100, 200), manifest(ONE_CORE)) == "web"
    assert core_bound(rows, Bracket(100, None), manifest(ONE_CORE)) == ""
    assert core_bound([row(100, worker=0.8)], Bracket(100, None), manifest(ONE_CORE)) == "worker"
    assert core_bound(rows, Bracket(50, 150), manifest(ONE_CORE)) == ""
    assert core_bound(rows, Bracket(None, None), manifest(ONE_CORE)) == ""


@pytest.mark.parametrize(
    ("kind", "workers", "processes", "bound"),
    [("cpu", 0, 1, "web"), ("cpu_native", 0, 1, ""), ("cpu", 0, 3, ""), ("cpu_native", 1, 3, "web")],
)
def test_a_web_process_has_one_core_unless_its_tasks_let_go_of_it(
    kind: str, workers: int, processes: int, bound: str
) -> None:
    told = manifest(WIDE, workers=workers, processes=processes)
    assert core_bound([row(100, kind, web=1.5)], Bracket(None, 100), told) == bound


@pytest.mark.parametrize(("used", "bound"), [(0.92, ""), (1.85, "web")])
def test_two_web_processes_can_fill_two_cores(used: float, bound: str) -> None:
    two = manifest(WIDE, web_processes=2)
    assert core_bound([row(100, web=used)], Bracket(None, 100), two) == bound
