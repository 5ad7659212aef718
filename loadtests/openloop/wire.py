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
    body: bytes = b""
    """kept only where somebody reads it"""


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

    def __call__(self, task_id: int, _: float = 0.0) -> bytes:
        """Return the request of that 64-bit id."""
        return b"%b%016x%b" % (self._before, task_id, self._after)


class TimedPostTemplate(PostTemplate):
    """One whose `duration_ms` differs too: padded with spaces, so that all requests are equally long."""

    _PLACE = "#" * 9
    """with its quotes as long as the longest duration to the microsecond, 60000.000, and two spaces"""

    def __init__(self, path: str, authority: str, fields: dict[str, Any]) -> None:
        super().__init__(path, authority, {**fields, "duration_ms": self._PLACE})
        self._between, self._after = self._after.split(f'"{self._PLACE}"'.encode(), 1)

    def __call__(self, task_id: int, duration_ms: float = 0.0) -> bytes:
        """Return the request of that 64-bit id and that duration, of a minute at most."""
        return b"%b%016x%b%11.3f%b" % (self._before, task_id, self._between, duration_ms, self._after)


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
