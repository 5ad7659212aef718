import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.wire import PostTemplate, TimedPostTemplate, get_request, read_reply

REPLY = b'HTTP/1.1 202 Accepted\r\nserver: uvicorn\r\nContent-Length: 5\r\n\r\n"ok!"'


@given(st.integers(0, 2**64 - 1), st.integers(0, 300))
def test_a_templated_post_is_a_whole_request_with_its_own_id(task_id: int, payload_bytes: int) -> None:
    template = PostTemplate("/tasks", "127.0.0.1:1", {"kind": "sleep", "payload": "x" * payload_bytes})
    head, body = template(task_id).split(b"\r\n\r\n", 1)
    fields = json.loads(body)
    assert head.startswith(b"POST /tasks HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert int(fields["task_id"], 16) == task_id
    assert len(fields["task_id"]) == 16
    assert len(fields["payload"]) == payload_bytes


@given(st.integers(0, 2**64 - 1), st.integers(1, 60_000_000))
def test_a_templated_post_may_have_a_duration_of_its_own_and_stay_as_long(task_id: int, us: int) -> None:
    duration_ms = us / 1000
    template = TimedPostTemplate("/tasks", "h:1", {"kind": "sleep", "duration_ms": 100.0, "payload": "x"})
    head, body = template(task_id, duration_ms).split(b"\r\n\r\n", 1)
    fields = json.loads(body)
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(body) == len(template(0, 0.001).partition(b"\r\n\r\n")[2])
    assert int(fields.pop("task_id"), 16) == task_id
    assert fields == {"kind": "sleep", "duration_ms": duration_ms, "payload": "x"}


def test_a_get_names_its_host() -> None:
    assert get_request("/ping", "h:1").startswith(b"GET /ping HTTP/1.1\r\nHost: h:1\r\n")


def test_a_plain_reply_is_read_whole() -> None:
    assert read_reply(REPLY)[:3] == (202, 5, True)


@pytest.mark.parametrize("cut", range(1, len(REPLY)))
def test_a_reply_in_pieces_is_left_to_the_parser(cut: int) -> None:
    assert read_reply(REPLY[:cut]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REPLY + b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-content-length: 0\r\n\r\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(data: bytes) -> None:
    assert read_reply(data) is None


def test_a_server_that_closes_is_believed() -> None:
    closing = REPLY.replace(b"server: uvicorn", b"Connection: close")
    assert read_reply(closing)[:3] == (202, 5, False)
