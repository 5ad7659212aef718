"""The compose file's own commands, run as local processes: targets, workers, broker, and Locust's web UI."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.documents import read_document
from results.ledger_file import read_ledger
from results.load import Load
from results.tables import read_table
from results.terms import Moment
from targets.registry import split_name

from .composefile import LIMIT_S, ROOT, Local

pytestmark = pytest.mark.e2e

TARGETS = ("background-tasks", "celery", "celery-tuned", "arq", "arq-tuned")
LOCUST_WORKERS = 2
BUSY = ("spawning", "running", "cleanup", "stopping")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The broker, some targets with all their workers, and Locust scaled to two workers."""
    local = Local(tmp_path_factory.mktemp("compose"))
    try:
        local.start("redis")
        await_redis(local)
        for target in TARGETS:
            workers = [name for name in local.services[target].get("depends_on", []) if name != "redis"]
            for service in (*workers, target):
                local.start(service)
        local.start("arq-durable-worker")  # whose check has to be told where its broker is
        local.start("locust")
        for replica in range(LOCUST_WORKERS):
            local.start("locust-worker", f"locust-worker-{replica}")
        yield local
    finally:
        wrong = local.stop()
    assert not wrong, "\n".join(wrong)
    assert local.survivors() == []


def await_redis(local: Local) -> None:
    import redis

    client = redis.Redis(port=local.ports["redis"])
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline, local.log("redis")
            time.sleep(0.05)
    client.close()


def ask(url: str, form: dict[str, Any] | None = None) -> Any:
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=LIMIT_S) as reply:
        return json.load(reply)


def test_every_health_check_passes(local: Local) -> None:
    checked = [name for name in local.services if name in local.running and name != "redis"]
    for service in checked:
        local.await_healthy(service)
    local.await_healthy("locust-worker", process="locust-worker-0")
    assert {p.pid for p in local.running.values()} <= {p.pid for p in local.survivors()}, "cannot see its own"


def test_a_health_check_fails_where_nobody_answers(local: Local) -> None:
    assert "inline" not in local.running
    assert local.check("inline") != 0


@pytest.mark.parametrize("target", TARGETS)
def test_a_run_from_the_web_ui_succeeds(local: Local, target: str) -> None:
    local.await_healthy(target)
    ui = local.url("locust")
    deadline = time.monotonic() + LIMIT_S
    while ask(f"{ui}/stats/requests")["worker_count"] < LOCUST_WORKERS:
        assert time.monotonic() < deadline, local.log("locust")
        time.sleep(0.2)
    folder = local.folder / "locust"
    before = set(folder.glob("*/load.json"))
    form = {"host": local.url(target), "rate": 10, "seconds": 3, "duration_ms": 20, "bystander_rate": 5}
    while not (new := set(folder.glob("*/load.json")) - before):
        assert time.monotonic() < deadline, local.log("locust")
        if ask(f"{ui}/stats/requests")["state"] not in BUSY:
            # Locust drops a start that comes within a second of a run's end, and says "success" all the same
            assert ask(f"{ui}/swarm", form)["success"]
        time.sleep(0.5)

    (document,) = new
    load = read_document(document, Load)
    strategy, variant = split_name(target.replace("-", "_"))
    assert (load.identity["strategy"], load.identity["variant"]) == (strategy, variant)
    assert load.scheduled == load.accepted > 0, load.reasons
    assert (load.rejected, load.refused, load.unknown, load.shed) == (0, 0, 0, 0)
    requests = read_table(document.parent, "requests", load.scheduled)
    assert read_table(document.parent, "bystanders").num_rows > 0

    ledger = Path(local.environment(target)["BLOCKPOINT_LEDGER"])
    sent = np.sort(requests["task_id"].to_numpy())
    while not np.array_equal(finished(ledger, sent), sent):
        assert time.monotonic() < deadline, f"{len(finished(ledger, sent))} of {len(sent)} finished"
        time.sleep(0.2)


def test_the_documented_headless_run_succeeds(local: Local) -> None:
    """The command of docs/docker.md in the environment of the service that it names, but shorter."""
    text = (ROOT / "docs" / "docker.md").read_text().replace("\\\n", "")
    (line,) = re.findall(r"docker compose run --rm locust (python -m locust .*)", text)
    local.await_healthy("celery-tuned")
    program, *rest = local.swapped("locust", line).split()
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *rest, "--rate", "10", "--seconds", "2", "--duration-ms", "10"],
        cwd=ROOT,
        env=local.environment("locust"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    load = read_document(local.folder / "celery-tuned-50" / "load.json", Load)
    assert load.scheduled == load.accepted > 0, done.stderr
    assert done.returncode == (1 if load.reasons else 0), done.stderr


def finished(ledger: Path, sent: np.ndarray) -> np.ndarray:
    """The ids, once each time, of those sent that the workers finished."""
    events = np.concatenate([read_ledger(path) for path in ledger.glob("ledger-*.bin")])
    ids = events["task_id"][events["moment"] == Moment.FINISHED]
    return np.sort(ids[np.isin(ids, sent)])
