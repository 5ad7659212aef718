"""A session of a `yield` dependency: who has to wait for the connections that tasks keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from targets.settings import Settings
from targets.strategies.yield_dependency import CONNECTIONS

from .stopping import LIMIT_S, submit

pytestmark = pytest.mark.e2e


@contextmanager
def served(variant: str, logs: Path) -> Iterator[Target]:
    with family() as members:
        launch = Launch(members, Pinning(), Settings(cores=1))
        with running_target(launch, "yield_dependency", variant, logs) as running:
            yield running


def test_tasks_keep_every_connection_and_readers_wait(tmp_path: Path) -> None:
    with served("default", tmp_path) as target:
        submit(target, CONNECTIONS, 60_000)
        assert httpx.get(f"{target.url}/ping-sync", timeout=LIMIT_S).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{target.url}/ping-db", timeout=1)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{target.url}/tasks", json={"task_id": "00000000000000aa"}, timeout=1)


def test_a_session_of_the_function_is_free_before_the_reply(tmp_path: Path) -> None:
    with served("tuned", tmp_path) as target:
        submit(target, 2 * CONNECTIONS, 60_000)
        assert httpx.get(f"{target.url}/ping-db", timeout=LIMIT_S).status_code == 200
