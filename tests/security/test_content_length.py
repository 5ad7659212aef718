"""No announced length of a body makes a target fail, whichever parser reads it."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import Child, family
from targets.bodylimit import MAX_BODY_BYTES, BodyLimit
from tests.harness.blockpoint import eventually

ODD = [
    b"0" * 5000,
    b"9" * 5000,
    b"0" * 4000 + b"5",
    b"18446744073709551616",
    b"9" * 18,
    str(MAX_BODY_BYTES + 1).encode(),
    b"-1",
    b"+5",
    b"5x",
    b"5 5",
    b"6, 5",
    b"0x5",
    b"1_0",
    b"",
    b"\xb2",
    b"5\r\nContent-Length: 6",
]


def status_of(headers: list[tuple[bytes, bytes]]) -> int:
    """Return the status of what `BodyLimit` sends before an application that answers 200."""
    statuses: list[int] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    asyncio.run(BodyLimit(app)({"type": "http", "headers": headers}, receive, send))
    return statuses[0]


@given(
    st.one_of(st.binary(), st.text(st.characters(categories=["Nd"])).map(str.encode), st.sampled_from(ODD))
)
def test_every_length_is_read_or_refused(length: bytes) -> None:
    status = status_of([(b"content-length", length)])
    if length.isdigit() and len(length) <= 20:
        assert status == (200 if int(length) <= MAX_BODY_BYTES else 413)
    else:
        assert status == 400


def test_the_worst_of_two_lengths_decides() -> None:
    assert status_of([(b"content-length", b"5"), (b"content-length", b"x")]) == 400
    assert status_of([(b"content-length", b"5"), (b"content-length", b"9" * 18)]) == 413


@pytest.fixture(scope="module", params=["httptools", "h11"])
def serving(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Child]]:
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "targets.app:inline",
        "--port",
        str(port),
        "--http",
        request.param,
    ]
    with family() as members:
        web = members.spawn("web", command, log, {}, Pinning())
        assert eventually(lambda: status(port, b"0") > 0), log.read_text()
        yield port, web


def status(port: int, length: bytes) -> int:
    """Send a task with an announced length and return the answer's status; 0 where there is none."""
    head = b"POST /tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(head + b"Content-Length: " + length + b"\r\n\r\n[1,2]")
            line = client.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line else 0


@pytest.mark.e2e
def test_no_length_is_a_failure_of_the_server(serving: tuple[int, Child]) -> None:
    port, web = serving
    answers = {length: status(port, length) for length in ODD}
    assert all(400 <= answer < 500 for answer in answers.values()), answers
    assert web.running
    assert "Traceback" not in web.log.read_text()
