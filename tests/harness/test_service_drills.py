"""Drills of a service of somebody's own: what is refused, what is planned, and whose ends were seen."""

import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.drills.audit import audit
from analysis.drills.fates import Evidence, Rows, fates
from harness.drills.of_service import drills_of
from harness.service.file import read_service
from harness.terminal.exits import DONE
from results.columns import LEDGER_RECORD
from results.errors import BlockpointError
from results.store import open_campaign
from results.terms import Fate, Moment, Outcome

from .blockpoint import blockpoint
from .service import BACK, declare

S = 1_000_000_000
ACCEPTED, FINISHED, FAILED = Moment.ACCEPTED, Moment.FINISHED, Moment.FAILED
ENDS = Evidence(
    max_attempts=1, from_ns=10 * S, to_ns=12 * S, at_rest_ns=20 * S, in_process=False, ends_only=True
)

BESIDE = ["--jobs", "2", "--quiet-wait", "0"]
"""so that nobody's lateness counts"""


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_TOKEN", "s3cret")


@pytest.mark.parametrize(
    ("outcome", "events", "fate"),
    [
        (Outcome.ACCEPTED, [(ACCEPTED, 1), (FINISHED, 2)], Fate.COMPLETED),
        (Outcome.ACCEPTED, [(FINISHED, 1), (ACCEPTED, 2)], Fate.COMPLETED),
        (Outcome.ACCEPTED, [(ACCEPTED, 1), (FINISHED, 2), (FINISHED, 13)], Fate.COMPLETED_TWICE),
        (Outcome.ACCEPTED, [(ACCEPTED, 1), (FAILED, 2)], Fate.FAILED),
        (Outcome.ACCEPTED, [(ACCEPTED, 1), (FAILED, 2), (FINISHED, 3)], Fate.COMPLETED),
        (Outcome.ACCEPTED, [(ACCEPTED, 9)], Fate.LOST),
        (Outcome.ACCEPTED, [(ACCEPTED, 13)], Fate.UNACCOUNTED),
        (Outcome.UNKNOWN, [], Fate.UNKNOWN),
        (Outcome.UNKNOWN, [(FINISHED, 11)], Fate.RAN_UNACCEPTED),
        (Outcome.REFUSED, [], Fate.REJECTED),
    ],
)
def test_a_fate_is_told_where_only_ends_are_seen(
    outcome: Outcome, events: list[tuple[Moment, int]], fate: Fate
) -> None:
    rows = Rows(np.array([7], np.uint64), np.array([outcome], np.int8), np.array([True]))
    seen = np.array(
        [(7, at_s * S, 1, int(moment > ACCEPTED), moment, 0) for moment, at_s in events], LEDGER_RECORD
    )
    assert fates(rows, seen, {}, ENDS).fate.tolist() == [fate]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("", ["kill-web", "stop-web"]),
        ("workers = ['work']", ["kill-web", "stop-web", "kill-worker", "stop-worker"]),
        (
            "workers = ['work', 'tick']",
            ["kill-web", "stop-web", *(f"{verb}-worker-{n}" for n in (1, 2) for verb in ("kill", "stop"))],
        ),
        ("server = 'redis'", ["kill-web", "stop-web", "kill-broker", "kill-broker-aof", "hang-broker"]),
        ("server = 'postgresql'", ["kill-web", "stop-web", "kill-broker", "hang-broker"]),
    ],
)
def test_what_it_is_made_of_can_be_broken(more: str, names: Collection[str], tmp_path: Path) -> None:
    file = declare(tmp_path, **BACK, start_within=f"{more}\nstart_within")
    assert list(drills_of(read_service(file))) == names


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"source = 'webhook'": "", "{webhook}": ""}, "name a source, poll, webhook or observe"),
        ({"command": "url = 'http://127.0.0.1:1' #"}, "runs at http://127.0.0.1:1: only what a command"),
        ({"[submit]": "[drill]\nrat = 1\n[submit]"}, r"no key in \[drill\] 'rat'; did you mean 'rate'"),
    ],
)
def test_a_service_that_cannot_be_broken_is_refused(
    replaced: dict[str, str], said: str, tmp_path: Path
) -> None:
    file = declare(tmp_path, **BACK)
    text = file.read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    file.write_text(text)
    with pytest.raises(BlockpointError, match=said):
        drills_of(read_service(file))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kill-broker"], "kill-broker cannot be done with shop: kill-web, stop-web can"),
        (["--variant", "tuned"], "--variant says nothing of a service of your own"),
        (["--jobs", "2"], "2 jobs would listen at one port"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    file = declare(tmp_path, **BACK, start_within="name = 'shop'\nstart_within")
    file.write_text(file.read_text().replace("'webhook'", "'webhook'\nlisten = '127.0.0.1:9'"))
    done = blockpoint("drill", *arguments, "-f", str(file), "--dry-run", runs=tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_plan_is_shown_before_anything_is_broken(tmp_path: Path) -> None:
    file = declare(tmp_path, **BACK)
    done = blockpoint(
        "drill", "kill-web", "--repeats", "2", "-f", str(file), "--dry-run", runs=tmp_path / "runs"
    )
    assert done.returncode == DONE, done.stderr
    assert re.search(r"kill-web +2 x SIGKILL to `.*orders.py.*` and all that it started", done.stdout)
    assert re.search(r"load +20 tasks/s, 40/s to each bystander, 720 requests in all", done.stdout)
    assert not (tmp_path / "runs").exists()


ORDERS_TOML = """
[submit]
path = "/orders/{{id}}"

[[bystander]]
path = "/health"

[drill]
rate = 30
seconds = 2.5
settle = 1
"""


def drilled(folder: Path, toml: str, *asked: str) -> tuple[list[dict[str, Any]], str]:
    """Drill a service that takes orders; returns what was counted, and what was said beside it."""
    file = folder / "blockpoint.toml"
    file.write_text((toml + ORDERS_TOML).format(python=sys.executable))
    done = blockpoint("drill", *asked, "-f", str(file), "--json", *BESIDE, runs=folder / "runs")
    assert done.returncode == DONE, done.stderr
    return json.loads(done.stdout)["drills"], done.stderr


MAILS = """
import os, time, urllib.request

from fastapi import BackgroundTasks, FastAPI

app = FastAPI()


def mail(order, back):
    time.sleep(0.3)
    with open("mailed.txt", "a") as mailed:
        print(order, file=mailed, flush=True)
    urllib.request.urlopen(urllib.request.Request(f"{back}/{order}", method="POST")).close()


@app.post("/orders/{order}", status_code=202)
async def submit(order: str, background: BackgroundTasks):
    background.add_task(mail, order, os.environ["BACK"])


@app.get("/health")
async def health():
    return "up"
"""
MAILS_TOML = """
[service]
name = "mails"
command = "{python} -m uvicorn main:app --port {{port}} --no-access-log"
environment = {{ BACK = "{{webhook}}" }}

[completions]
source = "webhook"
"""


@pytest.mark.e2e
def test_background_tasks_are_lost_when_their_process_is_killed(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAILS)
    (counted,), said = drilled(tmp_path, MAILS_TOML, "kill-web")
    (folder,) = (tmp_path / "runs").iterdir()
    campaign = open_campaign(folder)
    (trial,) = campaign.trials()
    told = audit(campaign, trial)
    ids, mailed = told.requests["task_id"].to_numpy(), set((tmp_path / "mailed.txt").read_text().split())

    def of(fate: Fate) -> set[str]:
        return {f"{task_id:016x}" for task_id in ids[told.verdicts.fate == fate]}

    assert of(Fate.COMPLETED) <= mailed
    never = {f"{task_id:016x}" for task_id in ids[told.verdicts.accepted]} - mailed
    assert never
    assert never <= of(Fate.LOST)
    assert counted["tasks_by_fate"]["lost"] == len(of(Fate.LOST))
    assert f"{len(of(Fate.LOST))} had not ended 1 s after" in said
    assert "kill-web" in (folder / "report" / "index.html").read_text()


QUEUED = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"])


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"{}"):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        store.lpush("orders", self.path.rpartition("/")[2])
        self.answer(202)

    def do_GET(self):
        order = self.path.rpartition("/")[2]
        self.answer(200, b'{"status": "done"}' if store.sismember("done", order) else b"{}")

    def log_message(self, *_):
        pass


if sys.argv[1] == "work":
    while True:
        _, order = store.brpop("orders")
        time.sleep(0.05)
        store.sadd("done", order)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""
QUEUED_TOML = """
[service]
name = "queued"
command = "{python} shop.py {{port}}"
workers = ["{python} shop.py work"]
server = "redis"
environment = {{ REDIS_URL = "{{redis_url}}" }}

[completions]
source = "poll"
path = "/orders/{{id}}"
every = 0.1
most_per_s = 200
"""


@pytest.mark.e2e
def test_a_queue_in_memory_outlives_its_worker_and_not_its_server(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(QUEUED)
    counted, _ = drilled(tmp_path, QUEUED_TOML, "kill-worker", "kill-broker", "--no-report")
    lost = {each["drill"]: each["tasks_by_fate"]["lost"] for each in counted}
    assert lost["kill-worker"] <= 1
    assert lost["kill-broker"] > lost["kill-worker"]
