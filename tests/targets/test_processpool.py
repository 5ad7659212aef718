"""Children of a process pool: when they begin, what ends with one of them, and what with the web process."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.roster import tree
from harness.target.target import Launch, Target, running_target
from results.terms import Moment
from results.waiting import wait_until
from targets.settings import Settings

from .stopping import LIMIT_S, ended_by_sigterm, submit

pytestmark = pytest.mark.e2e

SLOTS = 3
VARIANTS = ("default", "tuned")


@contextmanager
def served(variant: str, logs: Path) -> Iterator[Target]:
    with family() as members:
        launch = Launch(members, Pinning(), Settings(slots=SLOTS, cores=1))
        with running_target(launch, "processpool", variant, logs) as running:
            yield running


def children(target: Target) -> int:
    """Count what is neither the web process nor the resource tracker, which comes with the pool."""
    return len(tree(target.web[0].pid)) - 2


def status(target: Target) -> int:
    return httpx.post(
        f"{target.url}/tasks", json={"task_id": "00000000000000aa"}, timeout=LIMIT_S
    ).status_code


def test_only_tuned_has_its_children_before_the_first_task(tmp_path: Path) -> None:
    with served("default", tmp_path) as default:
        assert children(default) == 0
    with served("tuned", tmp_path) as tuned:
        assert children(tuned) == SLOTS
        reader = tuned.reader()
        before = set(tree(tuned.web[0].pid))
        submit(tuned, 2 * SLOTS, 50)
        assert wait_until(lambda: reader.outstanding() == 0, LIMIT_S)
        assert set(tree(tuned.web[0].pid)) == before


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_child_outlives_a_killed_web_process(variant: str, tmp_path: Path) -> None:
    with served(variant, tmp_path) as target:
        reader = target.reader()
        submit(target, SLOTS, 60_000)
        assert wait_until(lambda: bool(reader.running()), LIMIT_S)
        pids = tree(target.web[0].pid)
        os.kill(target.web[0].pid, signal.SIGKILL)
        target.web[0].process.wait(LIMIT_S)
        assert wait_until(lambda: not any(map(psutil.pid_exists, pids)), LIMIT_S)


@pytest.mark.parametrize(("variant", "later"), [("default", 500), ("tuned", 202)])
def test_a_killed_child_takes_all_that_the_pool_held_along(variant: str, later: int, tmp_path: Path) -> None:
    with served(variant, tmp_path) as target:
        reader = target.reader()
        ids = submit(target, 20, 60_000)
        assert wait_until(lambda: bool(reader.running()), LIMIT_S)
        os.kill(next(iter(reader.running().values())), signal.SIGKILL)
        assert wait_until(lambda: children(target) == 0, LIMIT_S)
        assert status(target) == later
        last = {max(moment for moment, n in reader.moments(task_id).items() if n) for task_id in ids}
        assert last == {Moment.ACCEPTED, Moment.STARTED}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_queued_is_drained_on_sigterm(variant: str, tmp_path: Path) -> None:
    found = ended_by_sigterm(f"processpool/{variant}", tmp_path, Settings(slots=SLOTS, cores=1), 200)
    assert found == [Moment.FINISHED] * 6
