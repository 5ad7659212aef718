"""A broker's password does not end in a campaign, which is made to be shown, nor in an error."""

import contextlib
import itertools
import secrets
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, running_target
from results.errors import BlockpointError
from results.store import open_campaign
from results.text import masked
from targets.settings import Settings
from tests.harness.blockpoint import QUIET, blockpoint, started
from tests.harness.servers import server

SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("redis://:secret@127.0.0.1:6379/9", "redis://***@127.0.0.1:6379/9"),
        ("rediss://me:p@ss:w0rd@host/0", "rediss://***@host/0"),
        (
            "--redis-url=redis://me:secret@host and http://a:b@c/d@e",
            "--redis-url=redis://***@host and http://***@c/d@e",
        ),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("http://host/a@b", "http://host/a@b"),
        ("new.user@example.org", "new.user@example.org"),
        ("redis://h:1/0?password=secret&db=3", "redis://h:1/0?password=***&db=3"),
        (
            "rediss://h?ssl_ca_certs=/a&user%6eame=me&p%61ssword=secret",
            "rediss://h?ssl_ca_certs=/a&user%6eame=***&p%61ssword=***",
        ),
        (
            "rediss://h?ssl_password=secret&ssl_cert_reqs=none",
            "rediss://h?ssl_password=***&ssl_cert_reqs=none",
        ),
        ("unix://me:secret@/a/b?password=secret said: no", "unix://***@/a/b?password=*** said: no"),
        ("redis://:sec/ret@h and redis+socket://:sec?ret@/a", "redis://***@h and redis+socket://***@/a"),
        ("http://h/0?password=mine", "http://h/0?password=mine"),
    ],
)
def test_credentials_are_taken_out_of_urls(given: str, shown: str) -> None:
    assert masked(given) == str(BlockpointError(given)) == shown


def processes_naming(text: str) -> list[list[str]]:
    """Return the command lines of all processes that show a text."""
    lines = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            lines.append(process.cmdline())
    return [line for line in lines if any(text in word for word in line)]


@pytest.mark.e2e
def test_a_campaign_does_not_hold_the_password_of_its_broker(members: Family, tmp_path: Path) -> None:
    password = secrets.token_hex(12)
    arguments = ["--strategy", "arq/tuned", "--rate", "5", "--duration", "1ms", "--seconds", "0.5"]
    arguments += ["--repeats", "1", "--attempts", "1", "--name", "secret", *QUIET]
    with server(members, tmp_path, password) as named:
        url = f"redis://127.0.0.1:{named.port}/0?username=me&password={password}"
        done = blockpoint("run", "--profile", "smoke", *arguments, "--redis-url", url, runs=tmp_path / "runs")
        files = [path for path in (tmp_path / "runs" / "secret").rglob("*") if path.is_file()]
        assert {"manifest.json", "trial.json"} <= {path.name for path in files}, done.stderr
        assert b"redis://***@127.0.0.1" in (tmp_path / "runs" / "secret" / "manifest.json").read_bytes()
        assert [path for path in files if password.encode() in path.read_bytes()] == []
        assert password not in done.stdout + done.stderr
        assert f"broker: the database redis://***@127.0.0.1:{named.port}/0" in done.stderr
    gone = blockpoint("run", *arguments, "--redis-url", url, runs=tmp_path / "others")
    assert gone.returncode == 2
    assert "no Redis answers at redis://***@127.0.0.1" in gone.stderr
    assert password not in gone.stdout + gone.stderr


@pytest.mark.e2e
def test_no_command_line_shows_a_password_and_the_queue_of_a_named_server_is_sampled(
    members: Family, tmp_path: Path
) -> None:
    password = secrets.token_hex(12)
    arguments = ["--strategy", "celery/default", "--rate", "30", "--duration", "200ms", "--seconds", "1"]
    arguments += ["--repeats", "1", "--attempts", "1", "--name", "secret", *QUIET]
    with server(members, tmp_path, password) as named:
        variable = {"BLOCKPOINT_REDIS_URL": f"redis://me:{password}@127.0.0.1:{named.port}/0"}
        running = started("run", "--profile", "smoke", *arguments, runs=tmp_path / "runs", **variable)
        seen: set[str] = set()
        while running.poll() is None:
            assert processes_naming(password) == []
            seen.update(word for line in processes_naming(str(tmp_path / "runs")) for word in line)
            time.sleep(0.05)
        said, _ = running.communicate()
    assert password not in said
    assert "harness.trial.sampler" in seen, said
    campaign = open_campaign(tmp_path / "runs" / "secret")
    [trial] = campaign.trials()
    rows = campaign.table(trial, "resources").to_pylist()
    assert max(row["queue_depth"] for row in rows if row["role"] == "broker") > 0
    assert {row["processes"] for row in rows if row["role"] == "broker"} == {0}
    assert {row["queue_depth"] for row in rows if row["role"] != "broker"} == {-1}


@pytest.mark.e2e
def test_the_embedded_brokers_password_stands_in_no_command_line_file_or_log(
    members: Family, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for strategy, variant in (("celery", "default"), ("arq", "default")):
        with running_target(Launch(members, Pinning(), SETTINGS), strategy, variant, logs) as target:
            target.preflight("sleep")
            assert target.broker is not None
            password = urlsplit(target.broker.url).password
            assert password
            assert processes_naming(password) == []
    files = [path for folder in (logs, members.folder) for path in folder.rglob("*") if path.is_file()]
    assert {"broker.conf", "broker.log", "web.log", "worker-0.log"} <= {path.name for path in files}
    assert [path for path in files if password.encode() in path.read_bytes()] == []
    assert {path.stat().st_mode & 0o777 for path in files if path.name == "broker.conf"} == {0o600}


@pytest.mark.e2e
def test_serve_says_where_its_user_alone_finds_the_brokers_url(tmp_path: Path) -> None:
    serving = started("serve", "arq", "tuned", "--port", str(free_port()), runs=tmp_path)
    assert serving.stdout is not None
    said = list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), serving.stdout))
    [path] = [Path(line.rpartition(" in ")[2].strip()) for line in said if "URL with its password" in line]
    assert path.stat().st_mode & 0o777 == 0o600
    with redis.Redis.from_url(path.read_text()) as client:
        assert client.ping()
    serving.send_signal(signal.SIGINT)
    serving.communicate(timeout=60)
    assert serving.returncode == 0
    assert not path.exists()
