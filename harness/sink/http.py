"""The HTTP server of the sink: `GET /?ms=12.5` is answered 12.5 ms after it came."""

import asyncio
import re

MOST_MS = 60_000.0
MOST_HEAD_BYTES = 16_384
_ASKED = re.compile(rb"GET /\?ms=([0-9]{1,5}(?:\.[0-9]{1,6})?) HTTP/1\.1\r\n")
_END = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class LateReply(asyncio.Protocol):
    """One connection: its requests are answered one after another, each as late as it asks for.

    A protocol by itself, since a framework takes ten times as long for a request: what is measured must not
    wait for this.
    """

    def __init__(self) -> None:
        self._received = b""
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the answer that nobody waits for."""
        if self._waiting:
            self._waiting.cancel()

    def data_received(self, data: bytes) -> None:
        """Take note of the next request once it is whole."""
        self._received += data
        if not self._waiting:
            self._next()

    def _next(self) -> None:
        head, end, rest = self._received.partition(_END)
        if not end:
            if len(head) > MOST_HEAD_BYTES:
                self._refuse()
            return
        asked = _ASKED.match(head + _END)
        if not asked or (delay_ms := float(asked[1])) > MOST_MS:
            self._refuse()
            return
        self._received = rest
        self._waiting = asyncio.get_running_loop().call_later(delay_ms / 1000, self._answer)

    def _answer(self) -> None:
        self._waiting = None
        self._transport.write(_OK)
        if self._received:
            self._next()

    def _refuse(self) -> None:
        self._transport.write(_BAD)
        self._transport.close()
