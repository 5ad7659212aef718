import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest

from harness.target.broker import free_port
from results.documents import read_document
from results.load import Load
from results.tables import read_table

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LIMIT_S = 120.0
"""for what comes in seconds on a quiet machine"""


def addresses() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a master and its workers are told of a free port."""
    port = str(free_port())
    bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    return bind, ("--master-host", "127.0.0.1", "--master-port", port)


def two_processes() -> tuple[str, ...]:
    """Return Locust's options for two workers of its own, on a port that no other test takes."""
    bind, joining = addresses()
    return ("--processes", "2", *bind, *joining)


@dataclass
class Ran:
    """A finished Locust process and what it left in `--out`."""

    code: int
    output: str
    out: Path

    @property
    def load(self) -> Load:
        return read_document(self.out / "load.json", Load)

    def table(self, name: str) -> pd.DataFrame:
        table: pd.DataFrame = read_table(self.out, name).to_pandas()
        return table


class Locust:
    """Starts Locust as a user does, in the repository's root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        self.runs = 0

    def start(
        self, scenario: str, *arguments: str, program: Sequence[str] = (str(BIN / "locust"),)
    ) -> tuple[subprocess.Popen[str], Path]:
        self.runs += 1
        out = self.folder / f"out{self.runs}"
        command = [*program, "-f", f"loadtests/{scenario}.py", "--out", str(out), *arguments]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process, out

    def start_without_timerfd(self, *arguments: str) -> "tuple[subprocess.Popen[str], Path]":
        code = (
            "import locust, loadtests.openloop.session as session, loadtests.openloop.timer as timer;"
            "session.best_timer = timer.SleepTimer; from locust.main import main; main()"
        )
        return self.start("steady", *arguments, program=(sys.executable, "-c", code))

    def run(self, scenario: str, *arguments: str) -> Ran:
        process, out = self.start(scenario, "--headless", "--only-summary", *arguments)
        return self.finish(process, out)

    def finish(self, process: "subprocess.Popen[str]", out: Path) -> Ran:
        output = process.communicate(timeout=LIMIT_S)[0]
        assert "Traceback" not in output, output
        return Ran(process.returncode, output, out)

    def interrupt(self, process: "subprocess.Popen[str]", out: Path, number: signal.Signals) -> Ran:
        process.send_signal(number)
        return self.finish(process, out)


@pytest.fixture
def locust(tmp_path: Path) -> Iterator[Locust]:
    starter = Locust(tmp_path)
    yield starter
    for process in starter.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool], seconds: float = LIMIT_S) -> None:
    give_up_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_s, "waited in vain"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


class Served:
    """The real FastAPI target on a port of its own, which it keeps from one process to the next."""

    def __init__(self, app: str, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._command = [str(BIN / "uvicorn"), f"targets.app:{app}", "--port", str(self.port), *arguments]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start a process and wait until it answers."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        with self.log.open("a") as log:
            process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        self._processes.append(process)
        wait_until(lambda: answers(f"{self.url}/health"))

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to the latest process and return when: `time.monotonic_ns` before it."""
        at_ns = time.monotonic_ns()
        self._processes[-1].send_signal(number)
        if number == signal.SIGKILL:
            self._processes[-1].wait(LIMIT_S)
        if number == signal.SIGSTOP:
            stopped = psutil.Process(self._processes[-1].pid)
            wait_until(lambda: stopped.status() == psutil.STATUS_STOPPED)
        return at_ns

    def answered(self) -> int:
        """Count the tasks that were answered, by the access log."""
        return self.log.read_text().count('"POST /tasks HTTP/1.1" 202')

    def stop(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            process.wait(LIMIT_S)


@contextmanager
def served(app: str, folder: Path, *arguments: str) -> Iterator[Served]:
    """Serve until the end of the block, whatever happens in it."""
    target = Served(app, folder, *arguments)
    try:
        target.start()
        yield target
    finally:
        target.stop()


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve `BackgroundTasks`; yields its URL."""
    quiet = ("--log-level", "warning", "--no-access-log")
    with served("background_tasks", tmp_path_factory.mktemp("target"), *quiet) as target:
        yield target.url
