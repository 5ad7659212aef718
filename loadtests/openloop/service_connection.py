"""A connection to a service of somebody's own: with TLS where it asks for that, replies kept if wanted."""

import ssl
from typing import Any

from loadtests.openloop.connection import Connection, Owner, Parser
from loadtests.openloop.service_address import ServiceAddress
from loadtests.openloop.wire import Reply

_BLOCK_BYTES = 65_536
_MOST_KEPT_BYTES = 1_000_000


class _Keeping(Parser):
    """Keeps the body, as far as anybody would read it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = bytearray()

    def _on_body(self, buf: bytearray) -> None:
        super()._on_body(buf)
        if self.size <= _MOST_KEPT_BYTES:
            self.body += buf


class TlsSocket:
    """A socket that does not block, with TLS on top: `send` and `recv` take and give what is in clear.

    Whoever holds it calls them whenever the socket can be written or read; the handshake takes place within.
    """

    def __init__(self, plain: Any, context: ssl.SSLContext, name: str) -> None:
        self._plain = plain
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: Any = context.wrap_bio(self._coming, self._going, server_hostname=name)
        self._shaken = False
        self._unsent = memoryview(b"")
        self._taken = 0
        """bytes in clear that were turned into what is on its way"""
        self.begun = False
        """whether a byte of a request may have left"""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    @property
    def waits(self) -> bool:
        """Whether nothing can be written before something was read."""
        return not self._shaken and not self._unsent and not self._going.pending

    def send(self, data: bytes) -> int:
        """Return how much was taken: all, unless BlockingIOError asks for another call."""
        if not self._shaken:
            self._shake()
        if not self._taken:
            self._tls.write(data)
            self._taken, self.begun = len(data), True
        self._flush()
        taken, self._taken = self._taken, 0
        return taken

    def recv(self, size: int, _flags: int = 0) -> bytes:
        """Return what came, or nothing at the end; raises BlockingIOError where nothing has come yet.

        Nothing is ever only looked at: between two requests a peer has nothing to say, but for keys.
        """
        data: bytes = self._plain.recv(_BLOCK_BYTES)
        if not data:
            return b""
        self._coming.write(data)
        if not self._shaken:
            self._shake()
        clear = bytearray()
        try:
            while part := self._tls.read(size):
                clear += part
        except ssl.SSLWantReadError:
            self._flush()
        if not clear:
            raise BlockingIOError
        return bytes(clear)

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
            self._shaken = True
        except ssl.SSLWantReadError:
            self._flush()
            raise BlockingIOError from None
        self._flush()

    def _flush(self) -> None:
        """Send what is encrypted; raises BlockingIOError where the socket takes no more of it."""
        if self._going.pending:
            self._unsent = memoryview(bytes(self._unsent) + self._going.read())
        while self._unsent:
            self._unsent = self._unsent[self._plain.send(self._unsent) :]


class ServiceConnection(Connection):
    """A connection that speaks TLS where its address says so."""

    def __init__(self, address: ServiceAddress, owner: Owner, opened: Any = None) -> None:
        self._keeps = bool(address.asked.reply_fields)
        self._tls: TlsSocket | None = None
        super().__init__(address, owner, opened)
        if address.tls is not None:
            self._tls = TlsSocket(self._sock, address.tls, address.host)
            self._sock = self._tls

    def send(self, row: int, request: bytes, *, hang_up: bool = False) -> bool:
        """See `Connection.send`."""
        if self._keeps:
            self._parser = _Keeping()
        return super().send(row, request, hang_up=hang_up)

    def _parse(self, data: bytes) -> Reply | None:
        reply = super()._parse(data)
        if reply is not None and isinstance(self._parser, _Keeping):
            return reply._replace(body=bytes(self._parser.body))
        return reply

    def _writable(self) -> None:
        super()._writable()
        if self._open and self._tls is not None:
            self.touched |= self._tls.begun and self._row >= 0
            if self._tls.waits:
                self._writer.stop()

    def _readable(self) -> None:
        super()._readable()
        if self._open and self._tls is not None and self._unsent and not self._writer.active:
            self._writer.start(self._writable)
