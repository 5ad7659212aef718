"""Whatever we start listens on loopback alone, unless a user asks for more and is warned."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from harness.commands.serve import _is_loopback
from harness.target.cores import Pinning
from harness.target.kin import marked
from harness.target.processes import Family
from harness.target.redis_broker import embedded_redis
from harness.target.target import Launch, running_target
from targets.settings import Settings
from tests.compose.composefile import read
from tests.harness.blockpoint import blockpoint

SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)


def listening(pids: set[int]) -> list[str]:
    """Return the addresses on which these processes take connections or datagrams."""
    return [
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in pids and (connection.status == psutil.CONN_LISTEN or not connection.raddr)
    ]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "variant", ["celery/default", "celery/tuned", "arq/tuned", "procrastinate/tuned", "threadpool/tuned"]
)
def test_all_processes_of_a_target_listen_on_loopback_alone(
    members: Family, variant: str, tmp_path: Path
) -> None:
    strategy, name = variant.split("/")
    with running_target(Launch(members, Pinning(), SETTINGS), strategy, name, tmp_path) as target:
        target.preflight("sleep")
        found = listening({process.pid for process in marked(members.marker)})
        assert len(found) >= (2 if target.broker else 1)
        assert all(ipaddress.ip_address(address).is_loopback for address in found), found


GOVERNING = [
    "CONFIG SET protected-mode no",
    "CONFIG SET bind *",
    "CONFIG GET *",
    "SHUTDOWN NOSAVE",
    "MODULE LIST",
    "REPLICAOF 127.0.0.1 1",
    "SLAVEOF 127.0.0.1 1",
    "ACL SETUSER target +@all",
    "ACL LIST",
    "SAVE",
    "BGREWRITEAOF",
    "MONITOR",
    "CLIENT PAUSE 10000",
    "CLIENT KILL TYPE normal",
    "FLUSHALL",
    "SWAPDB 0 1",
    "MIGRATE 127.0.0.1 1 key 0 1",
    "DEBUG SLEEP 1",
]


@pytest.mark.e2e
def test_nobody_without_the_password_and_no_target_governs_the_embedded_redis(
    members: Family, tmp_path: Path
) -> None:
    with embedded_redis(members, tmp_path, Pinning()) as broker:
        port = urlsplit(broker.url).port or 0
        once = Retry(NoBackoff(), 0)
        for named in ({}, {"password": "", "username": "harness"}):
            stranger = redis.Redis(port=port, retry=once, **named)
            for command in ("PING", "INFO", "GET key", *GOVERNING):
                with pytest.raises(redis.AuthenticationError):
                    stranger.execute_command(*command.split())
        target = redis.Redis.from_url(broker.url)
        for command in GOVERNING:
            with pytest.raises(redis.ResponseError, match=r"no permissions|not allowed"):
                target.execute_command(*command.split())
        with pytest.raises(redis.ResponseError, match=r"not allowed|no permissions|ACL failure"):
            target.eval("return redis.call('CONFIG', 'SET', 'protected-mode', 'no')", 0)
        assert target.set("key", "value")
        assert target.info("server")["redis_version"]
        assert broker.client.config_get("protected-mode") == {"protected-mode": "yes"}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.0.2.1", False),
        ("a.host.example", False),
        ("localhost.example", False),
    ],
)
def test_what_counts_as_loopback(host: str, loopback: bool) -> None:
    assert _is_loopback(host) is loopback


@pytest.mark.e2e
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "a.host.invalid"])
def test_serving_elsewhere_warns_before_anything_is_started(host: str, tmp_path: Path) -> None:
    done = blockpoint("serve", "inline", "nosuchvariant", "--host", host, runs=tmp_path)
    assert done.returncode == 2
    assert "is not loopback; whoever reaches it can burn this machine's CPU" in done.stderr
    warning, error = done.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert error.startswith("error: ")


def test_containers_publish_on_loopback_and_the_broker_nowhere() -> None:
    services = read()["services"]
    published = [str(port) for service in services.values() for port in service.get("ports", ())]
    assert len(published) > 10
    for port in published:
        assert port.startswith("127.0.0.1:")
        assert port.count(":") == 2
    assert "ports" not in services["redis"]
    assert not [name for name, service in services.items() if service.get("network_mode")]
