"""The embedded PostgreSQL: a broker like the other, started, struck and taken away without a trace."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from harness.campaign.predictions import usable
from harness.drills import faults
from harness.target import brokers, postgresql_server
from harness.target.broker import Broker
from harness.target.cores import Pinning
from harness.target.lineage import lives, tree
from harness.target.postgresql_broker import embedded_postgresql
from harness.target.processes import Family, family
from harness.target.uv import NoEnvironmentError
from results.errors import BlockpointError

from .blockpoint import LIMIT_S, eventually

SEGMENTS = Path("/proc/sysvipc/shm")
QUEUES = ("jobs/todo", "jobs/doing")
JOBS = """
CREATE TABLE jobs (status text, args text);
INSERT INTO jobs VALUES
  ('todo', 'task 00000000000000a4'), ('doing', 'a5'), ('done', '{"id": "00000000000000a6"}');
"""
HARNESS = """
import time
from harness.target.brokers import started
from harness.target.cores import Pinning
from harness.target.processes import family
with family() as members, started("postgresql", members, members.folder / "broker", Pinning()) as broker:
    print(members.folder, broker.child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def members() -> Iterator[Family]:
    with family() as made:
        yield made


@pytest.fixture(scope="module")
def broker(members: Family) -> Iterator[Broker]:
    with embedded_postgresql(members, members.folder / "broker", Pinning()) as made:
        with psycopg.connect(made.url, autocommit=True) as target:
            target.execute(JOBS)
        yield made


@pytest.mark.e2e
def test_queues_are_rows_of_one_status(broker: Broker) -> None:
    assert broker.depth(QUEUES) == 2
    assert broker.holdings(QUEUES) == {"jobs/todo": {0xA4}, "jobs/doing": set()}
    assert broker.named() == {0xA4, 0xA6}
    with pytest.raises(BlockpointError, match=r"//\*\*\*@127.0.0.1:\d+/postgres no longer answers"):
        broker.holdings(["nothing/todo"])


@pytest.mark.e2e
def test_it_says_what_it_is(broker: Broker) -> None:
    said = broker.describe()
    assert said["server"] == "postgresql"
    assert int(said["version"].split(".")[0]) >= 15
    assert (said["fsync"], said["synchronous_commit"]) == ("on", "on")


@pytest.mark.e2e
@pytest.mark.parametrize(
    "command",
    [
        "ALTER SYSTEM SET fsync = off",
        "COPY jobs FROM PROGRAM 'echo x'",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "SELECT pg_reload_conf()",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_a_target_does_not_govern_it(broker: Broker, command: str) -> None:
    with (
        psycopg.connect(broker.url, autocommit=True) as target,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        target.execute(command.encode())


@pytest.mark.e2e
@pytest.mark.parametrize("stranger", ["harness:", "harness:guess", "target:", "nobody:"])
def test_nobody_comes_in_without_the_password(broker: Broker, stranger: str) -> None:
    _, _, place = broker.url.rpartition("@")
    with pytest.raises(psycopg.OperationalError, match=r"password|no pg_hba"):
        psycopg.connect(f"postgresql://{stranger}@{place}", connect_timeout=5)


@pytest.mark.e2e
def test_it_keeps_its_rows_when_all_of_its_processes_are_killed(members: Family, broker: Broker) -> None:
    assert broker.child is not None
    pids = tree(broker.child.pid)
    assert len(pids) > 3
    faults._kill(pids)
    broker.child.kill()
    assert eventually(lambda: not any(map(lives, pids)))
    broker.child = members.again(broker.child)
    broker.await_answer()
    assert broker.depth(QUEUES) == 2


@pytest.mark.e2e
@pytest.mark.skipif(not SEGMENTS.exists(), reason="no list of shared memory here")
def test_a_killed_harness_leaves_nothing_of_it() -> None:
    with subprocess.Popen([sys.executable, "-c", HARNESS], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        folder, pid = harness.stdout.readline().split()
        pids = tree(int(pid))
        harness.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(map(lives, pids)), LIMIT_S)
    assert eventually(lambda: not Path(folder).exists(), LIMIT_S)
    creators = [int(line.split()[4]) for line in SEGMENTS.read_text().splitlines()[1:]]
    assert not set(creators) & set(pids)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def unmade(name: str) -> None:
        raise NoEnvironmentError(f"the environment of {name} cannot be made: no wheel")

    monkeypatch.setattr(postgresql_server, "environment_of_server", unmade)
    monkeypatch.setattr(postgresql_server, "DEBIANS", "/nowhere")
    monkeypatch.setenv("PATH", "")
    postgresql_server.programs.cache_clear()
    yield
    postgresql_server.programs.cache_clear()


@pytest.mark.usefixtures("absent")
def test_without_any_server_the_others_run_and_why_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoEnvironmentError, match="no PostgreSQL: the environment of postgresql "):
        brokers.look("postgresql")
    kept, left_out = usable(["inline/default", "procrastinate/tuned", "procrastinate/default"])
    assert kept == ["inline/default"]
    assert sorted(left_out) == ["procrastinate/default", "procrastinate/tuned"]
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("broken", ["not executable", "fails"])
def test_a_server_that_does_not_start_here_is_passed_over(
    broken: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho wrong machine >&2; exit 1\n")
        (tmp_path / name).chmod(0o755 if broken == "fails" else 0o644)
    monkeypatch.setattr(postgresql_server, "_folders", lambda _: [tmp_path])
    with pytest.raises(NoEnvironmentError, match=r"wrong machine|Permission denied"):
        postgresql_server.programs()


def test_a_broker_of_another_name_is_refused() -> None:
    with pytest.raises(BlockpointError, match="did you mean 'postgresql'"):
        brokers.look("postgres")
    assert {lives(psutil.Process().pid), lives(2**22 + 1)} == {True, False}
