import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.target.declarations import subject
from results.errors import BlockpointError
from results.terms import KINDS
from targets.registry import find, split_name
from targets.settings import Settings
from targets.strategies.inline import Inline
from targets.strategy import Definition, Variant, check_versions
from targets.task import MAX_DURATION_MS
from tests.strategies import discover, told

SHIPPED_VISIBILITY_S = "from kombu.transport.redis import Channel; print(Channel.visibility_timeout)"
SHIPPED_TIMEOUT_S = (
    "import inspect; from arq.worker import Worker; "
    "print(inspect.signature(Worker).parameters['job_timeout'].default)"
)
SHIPPED_SWEEP = (
    "import inspect; from saq import Worker; from saq.job import Job; "
    "from saq.queue.redis import RedisQueue; "
    "swept = inspect.signature(RedisQueue.sweep).parameters; "
    "jobs = inspect.signature(Worker).parameters['concurrency'].default; "
    "print(Job.timeout, swept['lock'].default, swept['abort'].default, jobs)"
)
SHIPPED_IDLE_S = (
    "import inspect; from streaq import Worker; "
    "print(inspect.signature(Worker).parameters['idle_timeout'].default)"
)
ACKNOWLEDGING_NOTHING = ("huey",)
"""libraries whose workers take a task out of the broker before it runs: nothing is hidden, all is lost"""
PLUGIN = """
from fastapi import BackgroundTasks
from targets.strategies.inline import Inline
from targets.strategy import Definition, Variant

definition = Definition("elsewhere", "from another package", {"default": Variant("as inline", Inline)})
"""


OTHER_SLOTS = ("create_task", "yield_dependency")
"""whose tuned variants have no limit, and AnyIO's threads"""


def test_every_strategy_declares_every_kind() -> None:
    for definition in discover().values():
        for variant in definition.variants:
            told = subject(definition.name, variant, Settings(slots=7, cores=2))
            assert set(told.services) == set(KINDS)
            assert told.max_attempts >= 1
            if variant in ("tuned", "durable") and definition.name not in OTHER_SLOTS:
                assert told.services["sleep"].slots == 7
            assert bool(told.queues) == bool(definition.broker)
            assert told.window_s == 0 or definition.broker
            assert told.supervised == (variant == "durable")


def test_every_web_process_has_a_pool_of_its_own_and_workers_are_no_more_for_it() -> None:
    for definition in discover().values():
        for variant in definition.variants:
            one, three = (subject(definition.name, variant, Settings(web_processes=n)) for n in (1, 3))
            own = {kind: service.in_each_of(3) for kind, service in one.services.items()}
            assert three.services == (one.services if one.workers else own)
    pool = find("background_tasks").subject("default", Settings(web_processes=3, anyio_tokens=7))
    assert (pool.services["sleep"].slots, pool.services["sleep"].one_pool.slots) == (21, 7)


@pytest.mark.parametrize("variant", ["default", "tuned", "durable"])
def test_windows_are_those_of_the_settings(variant: str) -> None:
    settings = Settings(visibility_s=7, job_timeout_s=11)
    assert subject("celery", variant, settings).window_s == 7
    assert subject("arq", variant, settings).window_s == 21
    swept_s = {"default": 11 + 7 + 10 * 5, "tuned": 11 + 7 + 40 * 5, "durable": 7 + 2 * 5}
    assert subject("saq", variant, settings).window_s == swept_s[variant]
    assert subject("streaq", variant, settings).window_s == 2 * 7


def test_windows_are_those_of_the_libraries_where_nothing_is_set() -> None:
    visibility_s = float(told("celery", SHIPPED_VISIBILITY_S))
    job_timeout_s = float(told("arq", SHIPPED_TIMEOUT_S))
    assert subject("celery", "default", Settings()).window_s == visibility_s
    assert subject("celery", "tuned", Settings()).window_s == visibility_s
    assert subject("arq", "default", Settings()).window_s == job_timeout_s + 10
    timeout_s, sweep_s, patience_s, jobs = map(float, told("saq", SHIPPED_SWEEP).split())
    assert subject("saq", "default", Settings()).window_s == timeout_s + sweep_s + patience_s * jobs
    idle_timeout_s = float(told("streaq", SHIPPED_IDLE_S))
    assert subject("streaq", "default", Settings()).window_s == 2 * idle_timeout_s


def test_no_task_outlasts_the_durable_windows() -> None:
    for name in ("celery", "arq"):
        assert subject(name, "durable", Settings()).window_s > MAX_DURATION_MS / 1000


class OfOldTimes:
    """A strategy of another package from before there were windows and supervisors."""

    start, submit, state, stop = Inline.start, Inline.submit, Inline.state, Inline.stop

    services = Inline(Settings()).services
    workers: tuple[()] = ()
    queues: tuple[()] = ()
    max_attempts = 1
    settings: dict[str, str] = {}  # noqa: RUF012


def test_a_strategy_that_declares_no_window_has_none() -> None:
    made: Any = lambda _: OfOldTimes()  # noqa: E731
    old = Definition("old", "", {"default": Variant("", made)}).subject("default", Settings())
    assert (old.window_s, old.supervised) == (0.0, False)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("celery", ("celery", "default")),
        ("celery_tuned", ("celery", "tuned")),
        ("background_tasks_async", ("background_tasks_async", "default")),
        ("background_tasks_async_default", ("background_tasks_async", "default")),
        ("background_tasks_tuned", ("background_tasks", "tuned")),
    ],
)
def test_names_split(name: str, split: tuple[str, str]) -> None:
    assert split_name(name) == split


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(BlockpointError, match="did you mean 'celery'"):
        find("celry")
    with pytest.raises(BlockpointError, match="did you mean 'tuned'"):
        find("celery").build("tunde", Settings())


@pytest.mark.parametrize("floor", ["999", "9.9.9.9999"])
def test_a_library_below_the_floor_is_refused(floor: str) -> None:
    definition = Definition("x", "", {"default": Variant("", Inline)}, requires={"fastapi": floor})
    with pytest.raises(BlockpointError, match=f"needs fastapi {floor} or newer"):
        check_versions(definition)


def test_a_missing_library_is_refused() -> None:
    definition = Definition("x", "", {"default": Variant("", Inline)}, requires={"no-such-thing": "1"})
    with pytest.raises(BlockpointError, match="none is installed"):
        check_versions(definition)


def test_a_strategy_of_another_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(PLUGIN)
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[blockpoint.strategies]\nelsewhere = elsewhere:definition\n")
    listed = subprocess.run(
        [sys.executable, "-m", "harness", "list"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "elsewhere: from another package" in listed.stdout
