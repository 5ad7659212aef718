import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis
from harness.target.sink import SERVERS, running_sink
from results.ledger_file import read_ledger
from results.terms import KINDS, Moment
from targets import calls, work
from targets import ledger as ledger_module
from targets.ledger import Ledger
from targets.settings import Settings
from targets.task import Task
from targets.work import TaskFailedError, calibrate, perform, perform_async, recorded, units_per_ms

STOCK = [name for name, kind in KINDS.items() if not kind.own]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ledger_module, "_ledger", Ledger(tmp_path))
    return tmp_path


def _moments(folder: Path) -> list[tuple[int, int]]:
    (path,) = folder.glob("ledger-*.bin")
    events = read_ledger(path)
    return list(zip(events["moment"].tolist(), events["attempt"].tolist(), strict=True))


async def _awaited(task: Task) -> None:
    try:
        await perform_async(task)
    finally:
        await work.hang_up()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the variables by which a task finds the servers that any kind needs."""
    needed = {KINDS[name].needs for name in STOCK}
    with family() as members:
        log = tmp_path_factory.mktemp("sink") / "sink.log"
        with (
            running_sink(members, needed & SERVERS, log, Pinning()) as sink,
            embedded_redis(members, members.folder / "broker", Pinning()) as broker,
        ):
            yield Settings(
                http_sink=sink.http, smtp_sink=sink.smtp, cache_url=broker.url, units_per_ms_cache=10.0
            ).to_environment()


@pytest.fixture
def surrounded(servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Let tasks of this process find those servers."""
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    work.surroundings.cache_clear()
    yield servers
    work.surroundings.cache_clear()
    if own := vars(calls._own).pop("connection", None):
        own.close()


@pytest.mark.parametrize("kind", STOCK)
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.usefixtures("surrounded")
def test_a_task_starts_and_finishes_once(folder: Path, kind: str, asynchronous: bool) -> None:
    task = Task(1, kind, 1)
    if asynchronous:
        asyncio.run(_awaited(task))
    else:
        perform(task)
    assert _moments(folder) == [(Moment.STARTED, 1), (Moment.FINISHED, 1)]


@pytest.mark.parametrize("kind", ["sleep", "http", "smtp"])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.usefixtures("surrounded")
def test_what_only_waits_lasts_at_least_as_long_as_it_was_asked_to(kind: str, asynchronous: bool) -> None:
    task = Task(1, kind, 30)
    began_s = time.monotonic()
    if asynchronous:
        asyncio.run(_awaited(task))
    else:
        perform(task)
    assert time.monotonic() - began_s >= 0.03


@pytest.mark.parametrize("kind", ["http", "smtp", "cache"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_task_whose_server_is_gone_fails(
    folder: Path, kind: str, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_port()}"
    gone = Settings(http_sink=address, smtp_sink=address, cache_url=f"redis://{address}/0")
    monkeypatch.setattr(work, "surroundings", lambda: gone)
    with pytest.raises(Exception, match=r"(?i)refused|connect"):  # noqa: PT012
        if asynchronous:
            asyncio.run(_awaited(Task(1, kind, 1)))
        else:
            perform(Task(1, kind, 1))
    assert _moments(folder) == [(Moment.STARTED, 1), (Moment.FAILED, 1)]


def test_work_of_ones_own_is_recorded_however_it_ends(folder: Path) -> None:
    async def awaiting(seconds: float) -> None:
        with recorded(Task(3, "sleep", 0)):
            await asyncio.sleep(seconds)

    with recorded(Task(1, "sleep", 0), attempt=2):
        pass
    with pytest.raises(LookupError), recorded(Task(2, "sleep", 0)):
        raise LookupError
    asyncio.run(awaiting(0))
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(awaiting(60), 0.01))
    with pytest.raises(TaskFailedError), recorded(Task(4, "sleep", 0, fail_first=1)):
        pytest.fail("it was asked to fail before it did anything")
    ends = [Moment.FINISHED, Moment.FAILED, Moment.FINISHED, Moment.INTERRUPTED, Moment.FAILED]
    assert _moments(folder) == [
        (moment, 2 if run == 0 else 1) for run, end in enumerate(ends) for moment in (Moment.STARTED, end)
    ]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_task_fails_as_often_as_asked(folder: Path, asynchronous: bool) -> None:
    task = Task(1, "sleep", 0, fail_first=2)

    def run(attempt: int) -> None:
        if asynchronous:
            asyncio.run(perform_async(task, attempt))
        else:
            perform(task, attempt)

    for attempt in (1, 2):
        with pytest.raises(TaskFailedError):
            run(attempt)
    run(3)
    assert [moment for moment, _ in _moments(folder)] == [
        *(Moment.STARTED, Moment.FAILED) * 2,
        *(Moment.STARTED, Moment.FINISHED),
    ]


POISON = """
import asyncio, sys
from targets.task import Task
from targets.work import perform, perform_async
task = Task(7, sys.argv[2], 1.0, kill_first=2)
if sys.argv[1] == "thread": perform(task, 1)
else: asyncio.run(perform_async(task, 1))
"""


@pytest.mark.parametrize("kind", STOCK)
@pytest.mark.parametrize("where", ["thread", "loop"])
def test_a_task_kills_its_process_as_often_as_asked(
    tmp_path: Path, where: str, kind: str, servers: dict[str, str]
) -> None:
    Ledger(tmp_path).record(8, Moment.STARTED, 1)
    runs = [
        subprocess.run(
            [sys.executable, "-c", POISON, where, kind],
            env={**os.environ, **servers, "BLOCKPOINT_LEDGER": str(tmp_path)},
            check=False,
        ).returncode
        for _ in range(3)
    ]
    assert runs == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert Ledger(tmp_path).starts(7) == 3
    assert Ledger(tmp_path).state(7) == "finished"


@pytest.mark.parametrize("kind", ["cpu", "cpu_native"])
def test_work_is_proportional_to_its_units(kind: str) -> None:
    """Twice the units take about twice the CPU time, which other programs do not lengthen."""
    per_ms = calibrate(kind, 0.02)

    def fastest_s(units: float) -> float:
        return min(work._cpu_s(work.BODIES[kind].blocking, units) for _ in range(15))

    ratio = fastest_s(per_ms * 4) / fastest_s(per_ms * 2)
    assert 1.3 < ratio < 3


def test_a_cache_task_writes_as_often_as_it_is_told(surrounded: dict[str, str]) -> None:
    url = surrounded["BLOCKPOINT_CACHE_URL"]
    client = redis.Redis.from_url(url)

    def writes() -> int:
        return int(client.info("commandstats").get("cmdstat_set", {"calls": 0})["calls"])

    before = writes()
    perform(Task(1, "cache", 7.0))
    asyncio.run(_awaited(Task(2, "cache", 5.0)))
    assert writes() - before == 12
    client.close()
    assert units_per_ms("cache", Settings(cache_url=url)) > 0


def test_a_given_calibration_is_used() -> None:
    assert units_per_ms("cpu", Settings(units_per_ms_cpu=123.0)) == 123.0
    assert units_per_ms("sleep", Settings()) == 1.0


def test_messages_round_trip() -> None:
    task = Task(2**64 - 1, "cpu", 1.5, 2, "payload", 3)
    assert Task.from_message(task.to_message()) == task
