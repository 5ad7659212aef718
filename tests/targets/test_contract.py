"""Every strategy in every variant, with its real broker and workers, keeps one and the same contract."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from harness.target.brokers import RABBITMQ
from harness.target.cores import Pinning
from harness.target.ledgers import LedgerReader
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from results.terms import KINDS, REGISTRATION, Moment
from targets.bodylimit import MAX_BODY_BYTES
from targets.middleware import HEADER
from targets.settings import Settings
from targets.task import MAX_PAYLOAD_CHARS
from tests.servers import rabbitmq
from tests.strategies import discover

pytestmark = pytest.mark.e2e

SUBJECTS: list[tuple[str, str, dict[str, Any]]] = [
    *((name, variant, {}) for name, found in sorted(discover().items()) for variant in found.variants),
    ("background_tasks", "default", {"middleware": True}),
]
SETTLE_S = 60.0
STOCK = [name for name, kind in KINDS.items() if not kind.own]
NEEDS = frozenset(filter(None, (KINDS[name].needs for name in STOCK)))
UNITS = {"units_per_ms_cpu": 1000.0, "units_per_ms_cpu_native": 1.0, "units_per_ms_cache": 1.0}
KEEPING_RESULTS = (
    "celery/default",
    "celery/late",
    "celery/threads",
    "arq/default",
    "saq/default",
    "streaq/default",
    "taskiq/default",
    "rq/default",
    "rq/durable",
)


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda given: "/".join([*given[:2], *given[2]]))
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    strategy, variant, conditions = request.param
    if discover()[strategy].broker == RABBITMQ:
        rabbitmq()
    logs = tmp_path_factory.mktemp("logs")
    with family() as members:
        launch = Launch(members, Pinning(), Settings(slots=8, cores=1, **UNITS, **conditions), needs=NEEDS)
        with running_target(launch, strategy, variant, logs) as running:
            running.preflight("sleep")
            yield running


@pytest.fixture
def client(target: Target) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=target.url, timeout=SETTLE_S) as made:
        yield made


def new_id() -> str:
    """Return an id that is a multiple of four, as registrations need."""
    return f"{secrets.randbits(61) << 2:016x}"


def settled(reader: LedgerReader) -> np.ndarray:
    """Wait until every accepted task is over; returns all moments since the reader was made."""
    deadline = time.monotonic() + SETTLE_S
    while reader.outstanding() > 0:
        assert time.monotonic() < deadline, f"{reader.outstanding()} tasks never ended"
        time.sleep(0.02)
    return reader.events()


def moments_of(events: np.ndarray, task_id: str) -> list[tuple[Moment, int]]:
    mine = np.sort(events[events["task_id"] == int(task_id, 16)], order="at_ns", kind="stable")
    return [(Moment(int(event["moment"])), int(event["attempt"])) for event in mine]


def at_ns(events: np.ndarray, task_id: str, moment: Moment) -> int:
    mine = events[(events["task_id"] == int(task_id, 16)) & (events["moment"] == moment)]
    assert len(mine) == 1
    return int(mine["at_ns"][0])


def test_only_a_target_that_has_the_middleware_times_its_requests(client: httpx.Client) -> None:
    reply = client.get("/health")
    assert reply.json()["conditions"]["middleware"] is (HEADER in reply.headers)


@pytest.mark.parametrize("kind", STOCK)
def test_every_accepted_task_starts_and_finishes_exactly_once(
    target: Target, client: httpx.Client, kind: str
) -> None:
    reader = target.reader()
    ids = [new_id() for _ in range(30)]
    for task_id in ids:
        reply = client.post("/tasks", json={"task_id": task_id, "kind": kind, "duration_ms": 10})
        assert (reply.status_code, reply.json()) == (202, {"task_id": task_id})
    events = settled(reader)
    for task_id in ids:
        moments = moments_of(events, task_id)
        assert sorted(moments) == [
            (Moment.RECEIVED, 0),
            (Moment.ACCEPTED, 0),
            (Moment.STARTED, 1),
            (Moment.FINISHED, 1),
        ]
        assert moments[0] == (Moment.RECEIVED, 0)
        started, finished = (at_ns(events, task_id, moment) for moment in (Moment.STARTED, Moment.FINISHED))
        assert started <= finished
        if KINDS[kind].held:
            assert finished - started >= 8e6  # uvloop's timers count whole milliseconds


def test_a_failing_task_is_retried_as_declared(target: Target) -> None:
    reader = target.reader()
    attempts = target.subject.max_attempts
    cases = {1: new_id(), attempts: new_id()}
    for fail_first, task_id in cases.items():
        # on a connection of its own, since uvicorn closes that of a background task that raised
        body = {"task_id": task_id, "duration_ms": 1, "fail_first": fail_first}
        reply = httpx.post(f"{target.url}/tasks", json=body, timeout=SETTLE_S)
        assert reply.status_code == (500 if target.subject.strategy == "inline" else 202)
    deadline = time.monotonic() + SETTLE_S
    for fail_first, task_id in cases.items():
        runs = min(fail_first + 1, attempts)
        expected = [(moment, run) for run in range(1, runs + 1) for moment in (Moment.STARTED, Moment.FAILED)]
        if runs > fail_first:
            expected[-1] = (Moment.FINISHED, runs)
        seen: list[tuple[Moment, int]] = []
        while seen != expected and time.monotonic() < deadline:
            seen = [(m, a) for m, a in moments_of(reader.events(), task_id) if m >= Moment.STARTED]
            time.sleep(0.02)
        assert seen == expected


@pytest.mark.parametrize("kinds", [None, list(REGISTRATION)], ids=["alike", "as they are"])
def test_a_registration_starts_three_tasks(
    target: Target, client: httpx.Client, kinds: list[str] | None
) -> None:
    reader = target.reader()
    task_id = new_id()
    parts = [f"{int(task_id, 16) + part:016x}" for part in (1, 2, 3)]
    reply = client.post("/users/register", json={"task_id": task_id, "parts": kinds, "duration_ms": 2})
    assert (reply.status_code, reply.json()) == (202, {"task_id": task_id, "tasks": parts})
    events = settled(reader)
    for part in parts:
        assert [m for m, _ in moments_of(events, part)].count(Moment.FINISHED) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/tasks", {}, 422),
        ("/tasks", {"task_id": "nothex"}, 422),
        ("/tasks", {"task_id": "00000000000000AA"}, 422),
        ("/tasks", {"task_id": "00000000000000aa\n"}, 422),
        ("/tasks", {"task_id": 170}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "kind": "pickle"}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "duration_ms": -1}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "duration_ms": 60_001}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "duration_ms": "soon"}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "payload": "x" * 65_537}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "fail_first": 11}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "surprise": 1}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "kill_first": 4}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "kill_first": -1}, 422),
        ("/tasks", {"task_id": "00000000000000aa", "kill_first": 1}, 403),
        ("/tasks", {"task_id": "00000000000000aa", "payload": "x" * MAX_BODY_BYTES}, 413),
        ("/users/register", {"task_id": "00000000000000a1"}, 422),
        ("/users/register", {"task_id": "00000000000000a4", "email": "nobody"}, 422),
        ("/users/register", {"task_id": "00000000000000a4", "parts": ["http"]}, 422),
        ("/users/register", {"task_id": "00000000000000a4", "parts": ["http", "smtp", "fax"]}, 422),
    ],
)
def test_bad_input_is_refused_and_starts_nothing(
    target: Target, client: httpx.Client, path: str, body: dict[str, Any], status: int
) -> None:
    reader = target.reader()
    assert client.post(path, json=body).status_code == status
    assert len(reader.events()) == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"task_id": "00000000000000aa", "duration_ms": NaN}', b"\xff"]
)
def test_a_body_that_is_not_json_is_refused(client: httpx.Client, content: bytes) -> None:
    reply = client.post("/tasks", content=content, headers={"content-type": "application/json"})
    assert reply.status_code in (400, 422)


def test_a_body_of_unknown_length_is_refused_once_it_is_too_long(
    target: Target, client: httpx.Client
) -> None:
    reader = target.reader()
    chunks = (b" " * 65_536 for _ in range(MAX_BODY_BYTES // 65_536 + 2))
    assert client.post("/tasks", content=chunks).status_code == 413
    assert client.get("/ping").status_code == 200
    assert len(reader.events()) == 0


def test_the_longest_payload_is_accepted_however_it_is_spelt(target: Target, client: httpx.Client) -> None:
    reader = target.reader()
    body = json.dumps({"task_id": new_id(), "payload": "\U0001f600" * MAX_PAYLOAD_CHARS})
    assert len(body) > 11 * MAX_PAYLOAD_CHARS
    reply = client.post("/tasks", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 202
    settled(reader)


def test_the_state_of_a_task_can_be_asked(target: Target, client: httpx.Client) -> None:
    reader = target.reader()
    task_id = new_id()
    assert client.get(f"/tasks/{task_id}").json() == {
        "task_id": task_id,
        "state": "unknown",
        "source": "none",
    }
    client.post("/tasks", json={"task_id": task_id})
    settled(reader)
    deadline = time.monotonic() + SETTLE_S
    state: dict[str, str] = {}
    while state.get("state") != "finished" and time.monotonic() < deadline:
        state = client.get(f"/tasks/{task_id}").json()
    assert state["state"] == "finished"
    keeps_results = target.subject.key in KEEPING_RESULTS
    assert state["source"] == ("library" if keeps_results else "ledger")
    assert client.get("/tasks/xyz").status_code == 422


def test_bystanders_identity_and_metrics(target: Target, client: httpx.Client) -> None:
    for path in ("/ping", "/ping-sync"):
        reply = client.get(path)
        assert (reply.status_code, reply.json()) == (200, {"pong": True})
    reads = client.get("/ping-db").status_code
    assert reads == (200 if target.subject.bystanders == ["ping_db"] else 404)
    identity = client.get("/health").json()
    assert identity["service"] == "blockpoint"
    assert f"{identity['strategy']}/{identity['variant']}" == target.subject.key
    assert identity["nonce"] == target.nonce
    assert identity["slots"] == {kind: service.slots for kind, service in target.subject.services.items()}
    metrics = client.get("/metrics").text
    assert 'blockpoint_tasks_total{result="accepted"}' in metrics
    for name in ("event_loop_lag_seconds", "backlog_tasks", "running_tasks"):
        assert f"\nblockpoint_{name} " in metrics
    for queue in target.subject.queues:
        assert f'\nblockpoint_queue_depth_tasks{{queue="{queue}"}} ' in metrics


def test_no_pickle_is_in_the_broker_and_nothing_in_the_end(target: Target, client: httpx.Client) -> None:
    if target.broker is None:
        pytest.skip("no broker")
    reader = target.reader()
    for _ in range(5):
        client.post("/tasks", json={"task_id": new_id(), "duration_ms": 1})
    assert not any(value.startswith(b"\x80") for value in target.broker.contents())
    settled(reader)
    deadline = time.monotonic() + SETTLE_S
    while target.broker.depth(target.subject.queues) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert target.broker.depth(target.subject.queues) == 0
