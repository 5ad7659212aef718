"""What a service says of its tasks by `blockpoint.observe`, against what it counts by itself."""

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from blockpoint import observe
from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.redis_broker import embedded_redis
from results.columns import LEDGER_RECORD
from results.ledger_file import read_ledger
from results.terms import Moment
from results.waiting import wait_until

from . import requested

ROOT = Path(__file__).parents[2]
LIMIT_S = 60.0
ACCEPTED, RUN = [Moment.RECEIVED, Moment.ACCEPTED], [Moment.STARTED, Moment.FINISHED]
FAILED = [Moment.STARTED, Moment.FAILED]
WAYS = ("def", "async", "object", "carried", "twice", "coroutine", "labelled", "thread")
EACH = 10


class Service:
    """A running service, its ledger and its own count."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.counted = folder / "ledger", folder / "counted"
        self.counted.touch()

    def ran(self) -> Counter[str]:
        """Return how often each task ran by the service's own count."""
        return Counter(self.counted.read_text().splitlines())

    def moments(self) -> dict[int, list[Moment]]:
        """Return each task's moments in order of time."""
        files = [read_ledger(path) for path in self.ledger.glob("ledger-*.bin")]
        found = defaultdict(list)
        for event in np.sort(np.concatenate(files or [np.empty(0, LEDGER_RECORD)]), order="at_ns"):
            found[int(event["task_id"])].append(Moment(int(event["moment"])))
        return dict(found)

    def over(self) -> int:
        """Count the tasks that have ended."""
        return sum(Moment.FINISHED in seen or Moment.FAILED in seen for seen in self.moments().values())


@contextmanager
def started(service: Service, *command: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "COUNTED": str(service.counted), "PYTHONPATH": str(ROOT), **variables}
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


@contextmanager
def serving(service: Service, module: str, **variables: str) -> Iterator[httpx.Client]:
    port = free_port()
    uvicorn = ("uvicorn", f"tests.blockpoint.{module}:app", "--port", str(port), "--log-level", "critical")
    # uvicorn closes a connection whose background task has failed, so that none can be used twice
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"connection": "close"})
    with started(service, *uvicorn, **variables), client:

        def up() -> bool:
            try:
                client.get("/")
            except httpx.TransportError:
                return False
            return True

        assert wait_until(up, LIMIT_S)
        yield client


def post(client: httpx.Client, way: str, number: int) -> int:
    reply = client.post(f"/{way}/{number}", headers={"x-blockpoint-id": f"{id_of(way, number):016x}"})
    return reply.status_code


def id_of(way: str, number: int) -> int:
    return sum(way.encode()) << 32 | number


@pytest.mark.e2e
def test_its_counts_are_the_services_own_task_by_task(tmp_path: Path) -> None:
    service = Service(tmp_path)
    with serving(service, "service", BLOCKPOINT_LEDGER=str(service.ledger)) as client:
        assert client.get("/layers").json() is True
        assert {post(client, way, number) for way in WAYS for number in range(EACH)} == {202}
        assert {post(client, "refused", number) for number in range(EACH)} == {503}
        client.post("/def/7")  # nobody's: it has no id
        assert wait_until(lambda: service.over() == len(WAYS) * EACH, LIMIT_S), service.moments()
        assert wait_until(lambda: service.ran().total() == len(WAYS) * EACH + 1, LIMIT_S)
    moments = service.moments()
    for way in WAYS:
        for number in range(EACH):
            runs = FAILED if number % 5 == 4 else RUN
            # a pool may begin before the reply has left
            assert sorted(moments.pop(id_of(way, number))) == sorted([*ACCEPTED, *runs])
            assert service.ran()[f"{way} {number}"] == (2 if (way, number) == ("def", 7) else 1)
    assert moments == {id_of("refused", number): [Moment.RECEIVED] for number in range(EACH)}


@pytest.mark.e2e
def test_without_its_variable_it_is_not_there(tmp_path: Path) -> None:
    service = Service(tmp_path)
    with serving(service, "service") as client:
        assert client.get("/layers").json() is False
        assert {post(client, way, number) for way in WAYS for number in range(2)} == {202}
        assert wait_until(lambda: service.ran().total() == len(WAYS) * 2, LIMIT_S)
    assert not service.ledger.exists()
    assert not observe.RECORDING
    assert observe.Requests(len) is len  # type: ignore[arg-type]
    assert observe.observed(len) is observe.carried(len) is len
    assert observe.label() == {}


@pytest.mark.e2e
def test_a_message_of_celery_takes_the_id_along(members: Family, tmp_path: Path) -> None:
    service = Service(tmp_path)
    with embedded_redis(members, tmp_path / "broker", Pinning()) as broker:
        known = {"BROKER": broker.url, "BLOCKPOINT_LEDGER": str(service.ledger)}
        worker = (
            "celery",
            "-A",
            "tests.blockpoint.queue:tasks",
            "worker",
            "-c",
            "2",
            "--loglevel",
            "CRITICAL",
        )
        with started(service, *worker, **known), serving(service, "queue", **known) as client:
            assert {post(client, "celery", number) for number in range(EACH)} == {202}
            assert wait_until(lambda: service.over() == EACH, LIMIT_S), service.moments()
    moments = service.moments()
    for number in range(EACH):
        retries = 2 if number % 5 == 3 else 0
        runs = [Moment.STARTED] * retries + (FAILED if number % 5 >= 3 else RUN)
        assert sorted(moments[id_of("celery", number)]) == sorted([*ACCEPTED, *runs])
        assert service.ran()[f"celery {number}"] == retries + 1
    assert len(moments) == EACH


def test_a_request_belongs_to_the_task_that_its_header_spells_and_to_no_earlier_one(tmp_path: Path) -> None:
    service = Service(tmp_path)
    with started(service, "tests.blockpoint.requested", BLOCKPOINT_LEDGER=str(service.ledger)) as process:
        assert process.wait(LIMIT_S) == 0
    expected = {int(value, 16): moments for _, value, _, moments in requested.REQUESTS if moments}
    expected[int(requested.JOB, 16)] = requested.ACCEPTED
    assert {
        task_id: [moment.name for moment in seen] for task_id, seen in service.moments().items()
    } == expected


def test_what_a_service_imports_needs_the_standard_library_alone() -> None:
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "import blockpoint.observe, blockpoint.queues\n"
        "ours = {'results', 'targets', 'loadtests', 'harness', 'analysis'}\n"
        "sys.exit(', '.join(ours & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=LIMIT_S)


def test_it_writes_what_the_ledgers_reader_reads() -> None:
    assert observe.LAYOUT.size == LEDGER_RECORD.itemsize
    packed = np.frombuffer(observe.LAYOUT.pack(2**64 - 2, 5, 6, 7, observe.FAILED), LEDGER_RECORD)
    assert packed[["task_id", "at_ns", "pid", "attempt", "moment"]].tolist() == [(2**64 - 2, 5, 6, 7, 5)]
    names = ("RECEIVED", "ACCEPTED", "STARTED", "FINISHED", "FAILED", "INTERRUPTED")
    assert [getattr(observe, name) for name in names] == [Moment[name] for name in names] == list(Moment)
