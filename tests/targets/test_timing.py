"""What the timing of a task says of bodies of which it is known."""

import asyncio
import hashlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from results.interpreter import has_gil
from targets.own.arguments import Arguments
from targets.own.calls import OwnTask
from targets.settings import Settings
from targets.timing.found import Lane, Phase, Timed, computes
from targets.timing.gil import gil_ms
from targets.timing.phases import one_after_another
from targets.timing.watch import Watch

BUFFER = bytes(8 * 2**20)
TASKS = """
import asyncio, time

def fail():
    raise LookupError("no such picture")

def sometimes(number=[0]):
    number[0] += 1
    if number[0] % 2:
        raise LookupError("no such picture")
    time.sleep(0.001)
    return b"x" * 50_000

def hang():
    time.sleep(3600)

def die():
    import os
    os._exit(3)
"""


def sleep(_: int = 0) -> None:
    time.sleep(0.02)


def loop(_: int = 0) -> None:
    state = 1
    for _ in range(100_000):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF


def digest(_: int) -> None:
    hashlib.sha256(BUFFER)


@pytest.mark.skipif(
    not has_gil() or len(os.sched_getaffinity(0)) < 2, reason="no GIL, or no core for the thread beside"
)
@pytest.mark.parametrize(("body", "low", "high"), [(sleep, 0.0, 0.1), (loop, 0.6, 1.5), (digest, 0.0, 0.25)])
def test_the_share_that_holds_the_gil_is_that_of_known_bodies(
    body: Callable[[int], None], low: float, high: float
) -> None:
    alone_s, clock = [], time.thread_time if body is loop else time.perf_counter
    for number in range(5):
        began_s = clock()
        body(number)
        alone_s.append(clock() - began_s)
    held_ms = min(gil_ms(body, 0.2) for _ in range(3))  # other programs only ever add
    assert low <= held_ms / (1000 * statistics.median(alone_s)) <= high


async def nap() -> None:
    await asyncio.sleep(0.01)


async def blocks() -> None:
    time.sleep(0.01)  # noqa: ASYNC251 -- the mistake


@pytest.mark.parametrize(("function", "low", "high"), [(nap, 0.0, 0.5), (blocks, 0.9, 1.0)])
def test_the_share_that_keeps_the_loop_is_what_is_not_awaited(
    function: object, low: float, high: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("targets.timing.phases.SHORTEST_S", 0.2)
    task = OwnTask(function, Arguments(), 1, None)  # type: ignore[arg-type]
    alone = one_after_another(task, Watch(60, print))
    assert low <= alone.loop <= high
    assert alone.calls.phase.calls >= 20


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="no account of a thread")
@pytest.mark.parametrize(("body", "computing"), [(sleep, False), (loop, True)])
def test_what_waits_for_a_core_that_others_have_is_not_taken_for_waiting(
    body: Callable[[int], None], computing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("targets.timing.phases.SHORTEST_S", 0.5)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        alone = one_after_another(OwnTask(body, Arguments(), 1, None), Watch(60, print))
    finally:
        for each in others:
            each.kill()
            each.wait()
        os.sched_setaffinity(0, allowed)
    assert alone.calls.phase.failures == 0
    assert computes(alone.cores, alone.queued) == computing
    assert 0 <= alone.queued < 1


def test_a_phase_sums_up_its_lanes() -> None:
    lanes = [Lane([10.0, 30.0], began_s=1.0, ended_s=1.1), Lane([20.0, 20.0], began_s=1.0, ended_s=1.04)]
    phase = Phase.of(lanes, failures=1)
    assert (phase.at_once, phase.calls, phase.failures, phase.mean_ms) == (2, 4, 1, 20.0)
    assert phase.per_s == pytest.approx(20 + 50)
    assert phase.cv == pytest.approx(0.5**0.5 / 2)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fail", r"every call of the task raises: LookupError: no such picture \(usertasks.py:5\)"),
        ("importing:go", r"the import of the task did not return within 0.2 s \(--task-timeout\)"),
        ("hang", r"the first call of the task did not return within 0.2 s \(--task-timeout\)"),
    ],
)
def test_a_task_that_cannot_be_timed_is_one_line(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / "usertasks.py").write_text(TASKS)
    (tmp_path / "importing.py").write_text("import time; time.sleep(3600)")
    answer, limit_s = tmp_path / "answer", "30" if name == "fail" else "0.2"
    where = name if ":" in name else f"usertasks:{name}"
    settings = Settings(own_task=where, own_path=str(tmp_path))
    command = [sys.executable, "-m", "targets.timing", str(answer), "2", "2", limit_s]
    subprocess.run(command, env=settings.to_environment(), check=True)
    timed = msgspec.json.decode(answer.read_bytes(), type=Timed)
    assert re.fullmatch(line, timed.problem)


def test_calls_that_raise_now_and_then_are_counted_and_results_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sometimes_tasks.py").write_text(TASKS)
    monkeypatch.setattr("targets.timing.phases.SHORTEST_S", 0.05)
    monkeypatch.setattr(sys, "path", [*sys.path])
    settings = Settings(own_task="sometimes_tasks:sometimes", own_path=str(tmp_path))
    calls = one_after_another(OwnTask.of(settings), Watch(60, print)).calls
    assert calls.phase.failures in {calls.phase.calls // 2, (calls.phase.calls + 1) // 2}
    assert 50_000 < calls.returned_bytes < 51_000
    assert "no such picture" in calls.errors[-1]
