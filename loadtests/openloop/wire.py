"""HTTP/1.1 as bytes: requests built from templates, replies read without objects where they allow it."""

import json
import re
from typing import Any, NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?:\r\n|$)")


class Reply(NamedTuple):
    """A whole reply: its status, its size in bytes and whether its connection may be used again."""

    status: int
    size: int
    keep_alive: bool


def get_request(path: str, authority: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\n\r\n".encode("latin-1")


class PostTemplate:
    """A JSON POST whose field `task_id` differs from request to request; the rest is laid out once."""

    def __init__(self, path: str, authority: str, fields: dict[str, Any]) -> None:
        body = json.dumps({"task_id": "0" * 16, **fields}, separators=(",", ":")).encode()
        before, after = body.split(b"0" * 16, 1)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._before = head.encode("latin-1") + before
        self._after = after

    def __call__(self, task_id: int) -> bytes:
        """Return the request of that 64-bit id."""
        return b"%b%016x%b" % (self._before, task_id, self._after)


def read_reply(data: bytes) -> Reply | None:
    """Read a whole reply that has a Content-Length and nothing after it; None for anything else."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0 or data[:9] != b"HTTP/1.1 ":
        return None
    head = data[:head_end].lower()
    length = _LENGTH.search(head)
    if length is None or len(data) != head_end + 4 + int(length[1]):
        return None
    return Reply(int(data[9:12]), len(data) - head_end - 4, b"\r\nconnection: close" not in head)
