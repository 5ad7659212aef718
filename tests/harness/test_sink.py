import contextlib
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.sink import HTTP, SERVERS, SMTP, Sink, running_sink
from harness.target.target import Launch, running_target
from results.errors import BlockpointError
from targets.settings import Settings
from tests.harness.blockpoint import python_with


@pytest.fixture
def sink(members: Family, tmp_path: Path) -> Iterator[Sink]:
    with running_sink(members, SERVERS, tmp_path / "sink.log", Pinning()) as made:
        yield made


def test_a_call_is_answered_as_late_as_it_asks(sink: Sink) -> None:
    with httpx.Client(base_url=f"http://{sink.http}", trust_env=False) as client:
        client.get("/?ms=0")
        began_s = time.monotonic()
        assert client.get("/?ms=40.5").text == "ok"
        assert time.monotonic() - began_s >= 0.0405


def test_calls_on_one_connection_are_answered_in_their_order(sink: Sink) -> None:
    host, _, port = sink.http.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /?ms=20 HTTP/1.1\r\n\r\nGET /?ms=0 HTTP/1.1\r\n\r\nGET /?ms=1 HT")
        connection.sendall(b"TP/1.1\r\nHost: here\r\n\r\n")
        answers = b""
        while answers.count(b"\r\n\r\nok") < 3:
            answers += connection.recv(4096)
        assert answers.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "asked",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /?ms=-1 HTTP/1.1\r\n\r\n",
        b"GET /?ms=60001 HTTP/1.1\r\n\r\n",
        b"POST /?ms=1 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"x" * 20_000,
    ],
)
def test_what_is_no_call_is_refused_and_its_connection_closed(sink: Sink, asked: bytes) -> None:
    host, _, port = sink.http.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(asked)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(4096):
                answer += part
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_mail_is_accepted_as_late_as_its_header_says(sink: Sink) -> None:
    host, _, port = sink.smtp.partition(":")
    with smtplib.SMTP(host, int(port), "localhost", timeout=10) as server:
        for header, least_s in (("X-Delay-Ms: 40.000\r\n", 0.04), ("", 0.0)):
            began_s = time.monotonic()
            server.sendmail("a@example.org", "b@example.org", f"{header}Subject: x\r\n\r\nhello\r\n")
            assert time.monotonic() - began_s >= least_s


def test_a_sink_that_is_started_again_is_awaited_again(members: Family, tmp_path: Path) -> None:
    for _ in range(2):
        with running_sink(members, {HTTP}, tmp_path / "sink.log", Pinning()) as made:
            assert httpx.get(f"http://{made.http}/?ms=0", trust_env=False).text == "ok"


def test_only_the_servers_that_are_asked_for_are_started(members: Family, tmp_path: Path) -> None:
    with running_sink(members, {SMTP}, tmp_path / "sink.log", Pinning()) as made:
        assert (made.http, bool(made.smtp)) == ("", True)


def test_a_port_that_is_taken_is_said_in_one_line(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("harness.target.sink.free_port", lambda: port)
        with (
            pytest.raises(BlockpointError, match=f"^the sink cannot listen on 127.0.0.1:{port}: Address.*$"),
            running_sink(members, {HTTP}, tmp_path / "sink.log", Pinning()),
        ):
            pytest.fail("it cannot listen there")


def test_a_missing_mail_server_is_said_in_one_line(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "aiosmtpd.py").write_text("raise ImportError('No module named aiosmtpd')")
    python = python_with(tmp_path / "venv", tmp_path / "shadow")
    monkeypatch.setattr("harness.target.sink.sys.executable", python)
    with (
        pytest.raises(BlockpointError, match=r"^no mail server: .*aiosmtpd.*; run `make setup`"),
        running_sink(members, {SMTP}, tmp_path / "sink.log", Pinning()),
    ):
        pytest.fail("there is no mail server")


@pytest.mark.e2e
def test_a_target_whose_sink_has_died_says_so(members: Family, tmp_path: Path) -> None:
    settings = Settings(slots=2, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)
    launch = Launch(members, Pinning(), settings, needs=frozenset({HTTP}))
    with running_target(launch, "background_tasks", "default", tmp_path) as target:
        target.preflight("http")
        assert target.sink is not None
        assert target.sink.child in target.children()
        target.sink.child.kill()
        with pytest.raises(BlockpointError, match=r"^the sink process of background_tasks/default exited"):
            target.preflight("http")
