import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

LIMIT_S = 60.0
WORKER = """
import os, signal, subprocess, sys, time
from pathlib import Path

def end(*_):
    said.write("told\\n")
    sys.exit(7)

signal.signal(signal.SIGTERM, end)
said = Path(sys.argv[1]).open("a", buffering=1)
if sys.argv[2] == "crash":
    said.write("crash\\n")
    sys.exit(1)
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
said.write(f"{os.getpid()} {helper.pid}\\n")
time.sleep(600)
"""
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """Return the file in which the worker writes one line a life: its id and its helper's."""
    (tmp_path / "supervised_worker.py").write_text(WORKER)
    path = tmp_path / "said"
    path.touch()
    return path


@pytest.fixture
def start(said: Path) -> Iterator[Start]:
    started = []

    def begin(how: str) -> "subprocess.Popen[bytes]":
        with log(said).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "targets.supervisor", "supervised_worker", str(said), how],
                env={**os.environ, "PYTHONPATH": str(said.parent)},
                stderr=output,
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
    for pid in [int(pid) for line in lines(said) for pid in line.split() if pid.isdigit()]:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def log(said: Path) -> Path:
    return said.with_name("log")


def lines(said: Path) -> list[str]:
    return [line for line in said.read_text().splitlines(keepends=True) if line.endswith("\n")]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def life(said: Path, number: int) -> tuple[int, int]:
    """Wait for the worker's life of that number, from 0; returns its id and its helper's."""
    until(lambda: len(lines(said)) > number)
    worker, helper = lines(said)[number].split()
    return int(worker), int(helper)


def test_a_killed_worker_is_started_again_and_leaves_nothing_behind(said: Path, start: Start) -> None:
    supervisor = start("run")
    for number in range(2):
        worker, helper = life(said, number)
        os.kill(worker, signal.SIGKILL)
        again, _ = life(said, number + 1)
        assert again != worker
        assert not alive(worker)
        assert not alive(helper)
    assert supervisor.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_and_then_the_supervisor(
    said: Path, start: Start, number: signal.Signals
) -> None:
    supervisor = start("run")
    worker, helper = life(said, 0)
    supervisor.send_signal(number)
    code = supervisor.wait(LIMIT_S)
    if number is signal.SIGTERM:
        assert code == 7
        assert lines(said)[1:] == ["told\n"]
    assert code != 0
    assert len(lines(said)) <= 2
    assert not alive(worker)
    until(lambda: not alive(helper))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_no_worker_outlives_a_killed_supervisor(said: Path, start: Start) -> None:
    supervisor = start("run")
    worker, _ = life(said, 0)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not alive(worker))
    assert len(lines(said)) == 1


def test_pauses_grow_and_can_be_ended(said: Path, start: Start) -> None:
    supervisor = start("crash")
    until(lambda: len(lines(said)) >= 3)
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(LIMIT_S)
    said_by_it = log(said).read_text().splitlines()
    pauses = [float(line.split()[-2]) for line in said_by_it if line.startswith("supervisor:")]
    assert pauses[:2] == [0.2, 0.4]


def test_nothing_to_supervise_is_said_in_one_line() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "targets.supervisor"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
