"""A database of a user's server is one command's at a time; what cannot be used is said in one line."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.target import external
from harness.target.broker import free_port
from harness.target.external import KEY, external_broker, owning
from harness.target.processes import family
from results.errors import BlockpointError
from tests.harness.blockpoint import blockpoint, eventually, started
from tests.harness.servers import Server, server

PASSWORD = "p%w/d"
QUOTED = "p%25w%2Fd"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with family() as members, server(members, tmp_path_factory.mktemp("server"), PASSWORD) as made:
        yield made


@pytest.fixture
def named(running: Server) -> Server:
    running.client.flushall()
    return running


def url_of(named: Server, user: str = "") -> str:
    return f"redis://{user}:{QUOTED}@127.0.0.1:{named.port}/0"


def another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim as another process would from now on."""
    monkeypatch.setattr(external, "_TOKEN", "another")


def test_a_database_is_one_commands_at_a_time(named: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with external_broker(url_of(named)) as broker:
        broker.client.lpush("celery", "a task")
        another_command(monkeypatch)
        with (
            pytest.raises(BlockpointError, match="is being used by") as refusal,
            external_broker(url_of(named)),
        ):
            pass
        assert broker.client.llen("celery") == 1
    assert "\n" not in str(refusal.value)
    assert PASSWORD not in str(refusal.value)
    assert named.client.dbsize() == 0
    with external_broker(url_of(named)):
        pass


def test_a_commands_claim_outlives_its_targets_and_is_no_task(named: Server) -> None:
    with owning(url_of(named)):
        for _ in range(2):
            with external_broker(url_of(named)) as broker:
                assert broker.named() == set()
                broker.client.lpush("celery", "00000000000000a4")
            assert named.client.keys() == [KEY.encode()]
    assert named.client.dbsize() == 0


def test_a_claim_that_was_flushed_away_is_made_again(named: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "RENEWED_EVERY_S", 0.02)
    with external_broker(url_of(named)):
        named.client.flushall()
        assert eventually(lambda: 0 < named.client.ttl(KEY) <= external.LASTS_S)
        named.client.expire(KEY, 10 * external.LASTS_S)
        assert eventually(lambda: 0 < named.client.ttl(KEY) <= external.LASTS_S)


def test_what_became_anothers_is_not_emptied(named: Server) -> None:
    broker = external_broker(url_of(named))
    broker.__enter__()
    named.client.set(KEY, "token blockpoint find (process 1\n\x1b on elsewhere)")
    named.client.lpush("celery", "another's task")
    with pytest.raises(BlockpointError, match=r"used by blockpoint find \(process 1 "):
        broker.__exit__(None, None, None)
    assert named.client.llen("celery") == 1
    assert named.client.exists(KEY)


def test_a_claim_without_its_command_ends(named: Server) -> None:
    named.client.set(KEY, "token blockpoint run (process 1 on elsewhere)", px=300)
    with pytest.raises(BlockpointError, match="its claim ends within 60 s"), external_broker(url_of(named)):
        pass
    assert eventually(lambda: not named.client.exists(KEY))
    with external_broker(url_of(named)):
        pass


@pytest.mark.parametrize("right", ["info", "dbsize", "flushdb", "set", "exists"])
def test_a_right_that_is_missing_is_said_in_one_line(named: Server, right: str) -> None:
    named.client.acl_setuser(
        "less", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all", f"-{right}"]
    )
    with pytest.raises(BlockpointError) as refusal, external_broker(url_of(named, "less")):
        pass
    said = str(refusal.value)
    assert said.startswith(f"the user of redis://***@127.0.0.1:{named.port}/0 may not do what a run does")
    assert right in said
    assert "\n" not in said
    assert named.client.dbsize() in (0, 1)


def test_a_server_that_tells_no_configuration_will_do(named: Server) -> None:
    named.client.acl_setuser(
        "less", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all", "-config"]
    )
    with external_broker(url_of(named, "less")) as broker:
        assert broker.describe()["save"] == "unknown"


@pytest.mark.parametrize(
    "path",
    [
        "//wrong@127.0.0.1:{port}",
        "//127.0.0.1:{port}",
        "//127.0.0.1:{port}/999",
        "//.:1",
        "//127.0.0.1:{free}",
    ],
)
def test_what_does_not_answer_is_said_in_one_line(named: Server, path: str) -> None:
    url = "redis:" + path.format(port=named.port, free=free_port())
    with (
        pytest.raises(BlockpointError, match="no Redis answers at redis://") as refusal,
        external_broker(url),
    ):
        pass
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("command", ["run", "find", "drill", "check"])
def test_every_command_takes_the_variable_and_refuses_bad_urls(command: str, tmp_path: Path) -> None:
    done = blockpoint(command, runs=tmp_path, BLOCKPOINT_REDIS_URL="redis://:secret/x@127.0.0.1/0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the Redis URL")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_drills_do_not_share_a_database(tmp_path: Path) -> None:
    done = blockpoint("drill", "--jobs", "2", "--redis-url", "redis://127.0.0.1:1", runs=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "2 jobs would share one database" in done.stderr


@pytest.mark.e2e
def test_a_second_command_names_the_first(named: Server, tmp_path: Path) -> None:
    options = ["--redis-url", url_of(named, "me")]
    first = started("serve", "arq", "tuned", "--port", str(free_port()), *options, runs=tmp_path)
    try:
        assert first.stdout is not None
        assert any(line.startswith("Ctrl-C") for line in first.stdout)
        second = blockpoint("run", "--strategy", "celery/default", *options, runs=tmp_path)
        assert (second.returncode, second.stdout, second.stderr.count("\n")) == (2, "", 1)
        assert f"serve (process {first.pid} on " in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        said, _ = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert named.client.dbsize() == 0
