import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import pytest

from results.documents import read_document
from results.schema import Load
from results.tables import read_table

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        output = process.communicate(timeout=60)[0]
        assert "Traceback" not in output, output
        return Ran(process.returncode, output, out)

    def interrupt(
        self, process: "subprocess.Popen[str]", out: Path, after_s: float, number: signal.Signals
    ) -> Ran:
        time.sleep(after_s)
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


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_s, "waited in vain"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the real FastAPI target, `BackgroundTasks`; yields its URL."""
    port = free_port()
    log = (tmp_path_factory.mktemp("target") / "log").open("w")
    command = [
        str(BIN / "uvicorn"),
        "targets.app:background_tasks",
        *("--port", str(port), "--log-level", "warning", "--no-access-log"),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        log.close()
