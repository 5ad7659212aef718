"""A target that costs next to nothing: HTTP/1.1 keep-alive on a bare `asyncio.Protocol` under uvloop.

It frames requests (head, then Content-Length bytes of body) but neither routes, parses JSON nor validates:
POST gets a fixed 202, GET a fixed 200. It shows what the generator can do, not what a target can.

    python -m benchmarks.fast_target PORT [STALL_S PERIOD_S]

With a stall the whole process sleeps STALL_S in every PERIOD_S of the monotonic clock, and says so on stdout:
one line `FROM_NS TO_NS` for each.
"""

import asyncio
import re
import sys
import time
from typing import cast

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEALTH = b'{"service":"blockpoint","strategy":"fast_target","variant":"default","nonce":"","slots":{}}'


def _reply(status: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 " + status + b"\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\nserver: fast\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    ) + body


_ACCEPTED = _reply(b"202 Accepted", b'{"task_id":"0000000000000000"}')
_PONG = _reply(b"200 OK", b'{"ok":true}')
_HEALTHY = _reply(b"200 OK", _HEALTH)


class FastProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            end = head_end + 4
            post = self._buffer.startswith(b"POST")
            if post and (length := _LENGTH.search(self._buffer, 0, head_end)):
                end += int(length[1])
            if len(self._buffer) < end:
                return
            answer = _ACCEPTED if post else _HEALTHY if self._buffer.startswith(b"GET /health") else _PONG
            self._buffer = self._buffer[end:]
            if self._transport is not None:
                self._transport.write(answer)


async def serve(port: int, stall_s: float = 0.0, period_s: float = 0.0) -> None:
    """Serve on the loopback until killed."""
    loop = asyncio.get_running_loop()
    await loop.create_server(FastProtocol, "127.0.0.1", port, backlog=2048)
    while True:
        await asyncio.sleep(period_s - stall_s if stall_s else 3600)
        begin = time.monotonic_ns()
        time.sleep(stall_s)  # noqa: ASYNC251
        print(begin, time.monotonic_ns(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), *map(float, sys.argv[2:])))
