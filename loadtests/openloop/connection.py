"""One keep-alive connection, driven by the event loop's callbacks and never waited for.

A request is written to one connection only, and never again once a byte of it was taken: a POST whose
connection breaks may have been read, so it ends as UNKNOWN. What is found closed *before* the first byte
(uvicorn closes a connection when a background task raised) is left for another connection: nothing was sent.
Nobody answers for a dead server: what met no listener ends as REFUSED at once, without a second attempt.
"""

import errno
import os
import socket
import struct
import time
from typing import Any, Protocol

import gevent
from gevent.monkey import get_original
from geventhttpclient.response import HTTPParseError, HTTPResponse

from loadtests.openloop.address import Address
from loadtests.openloop.faults import CLOSED_EARLY
from loadtests.openloop.wire import Reply, read_reply
from results.terms import Outcome

_READ, _WRITE = 1, 2
_BLOCK_BYTES = 65_536
_IDLE = -1
_CAUSES = {errno.ECONNREFUSED: "connection refused", errno.ECONNRESET: "connection reset"}
_plain_socket = get_original("socket", "socket")


class Parser(HTTPResponse):
    """Counts the body instead of keeping it."""

    size = 0

    def _on_body(self, buf: bytearray) -> None:
        self.size += len(buf)


class Owner(Protocol):
    """Who a connection reports to; rows are those given to `Connection.send`."""

    def answered(self, row: int, reply: Reply, at_ns: int) -> None:
        """Take note of a whole reply."""

    def unanswered(self, row: int, outcome: Outcome, error: str) -> None:
        """Take note that no reply will come."""

    def idle(self, connection: "Connection") -> None:
        """Take back a connection that can take another request."""

    def closed(self, connection: "Connection") -> None:
        """Forget a connection."""


class Connection:
    """A connection with at most one request in flight; opens at its first request, without waiting."""

    __slots__ = (
        "_address",
        "_connected",
        "_hang_up",
        "_open",
        "_owner",
        "_parser",
        "_reader",
        "_row",
        "_sock",
        "_unsent",
        "_writer",
        "touched",
    )

    def __init__(self, address: Address, owner: Owner, opened: Any = None) -> None:
        """Take `opened` for its own, a socket that is connected already and does not block."""
        self._owner = owner
        self._address = address
        self._row = _IDLE
        self._unsent = b""
        self._parser: Parser | None = None
        self._connected = opened is not None
        self._hang_up = False
        self._open = True
        self.touched = False
        """whether a byte of the request in flight has left"""
        self._sock = opened or _unconnected(address)
        loop = gevent.get_hub().loop
        self._reader = loop.io(self._sock.fileno(), _READ)
        self._writer = loop.io(self._sock.fileno(), _WRITE)
        if self._connected:
            self._reader.start(self._readable)

    def send(self, row: int, request: bytes, *, hang_up: bool = False) -> bool:
        """Send a request; False if the connection is closed and no byte of the request has left.

        With `hang_up` the connection is closed when the last byte has left: the target reads the request
        and then the connection's end.
        """
        self._hang_up = hang_up
        if not self._connected:
            self._row, self._unsent = row, request
            self._connect()
            return True
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return False
        else:
            self.close()
            return False
        try:
            sent = self._sock.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return False
        self._row, self.touched = row, sent > 0
        if sent < len(request):
            self._unsent = request[sent:]
            self._writer.start(self._writable)
        elif hang_up:
            self._fail(Outcome.UNKNOWN, CLOSED_EARLY)
        return True

    def close(self) -> None:
        """Close, whatever is in flight; calls `Owner.closed`, but neither `answered` nor `unanswered`.

        Does nothing the second time.
        """
        if not self._open:
            return
        self._open, self._row = False, _IDLE
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self._sock.close()
        self._owner.closed(self)

    def _connect(self) -> None:
        code = self._sock.connect_ex(self._address.sockaddr)
        if code in {0, errno.EINPROGRESS}:
            self._writer.start(self._writable)
        else:
            gevent.get_hub().loop.run_callback(self._refused, code)

    def _refused(self, code: int) -> None:
        self._fail(Outcome.REFUSED, _CAUSES.get(code) or os.strerror(code).lower())

    def _writable(self) -> None:
        if not self._connected:
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code or self._met_itself():
                self._refused(code or errno.ECONNREFUSED)
                return
            self._connected = True
            self._reader.start(self._readable)
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._reset()
            return
        self.touched = True
        self._unsent = self._unsent[sent:]
        if self._unsent:
            return
        self._writer.stop()
        if self._hang_up:
            self._fail(Outcome.UNKNOWN, CLOSED_EARLY)

    def _met_itself(self) -> bool:
        """Say whether TCP connected this socket to itself, as it may where nobody listens at its own port.

        It is then made to leave nothing behind: the port is that of a target that may come back.
        """
        try:
            met = bool(self._sock.getsockname() == self._sock.getpeername())
        except OSError:
            return False
        if met:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return met

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_BLOCK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._reset()
            return
        at_ns = time.monotonic_ns()
        if self._row == _IDLE:
            self.close()
            return
        reply = read_reply(data) if self._parser is None else None
        if reply is None:
            try:
                reply = self._parse(data)
            except HTTPParseError:  # at the connection's end: of a reply that was cut
                self._fail(Outcome.UNKNOWN, "not HTTP" if data else "closed within reply")
                return
        if reply is not None:
            self._answered(reply, at_ns)
        elif not data:
            self._fail(Outcome.UNKNOWN, "closed within reply" if self._begun else "closed before reply")

    @property
    def _begun(self) -> bool:
        return self._parser is not None and bool(self._parser.message_begun)

    def _parse(self, data: bytes) -> Reply | None:
        """Read a reply that is chunked, comes in pieces, follows a 1xx or ends with the connection."""
        parser: Any = self._parser
        if parser is None:
            parser = self._parser = Parser()
        parser.feed(data)
        if not parser.message_complete or parser.get_code() < 200:
            return None
        return Reply(parser.get_code(), parser.size, not parser.should_close())

    def _answered(self, reply: Reply, at_ns: int) -> None:
        row, self._row, self._parser = self._row, _IDLE, None
        if reply.keep_alive and not self._unsent:
            self._owner.idle(self)
        else:
            self.close()
        self._owner.answered(row, reply, at_ns)

    def _reset(self) -> None:
        self._fail(Outcome.UNKNOWN if self.touched else Outcome.REFUSED, _CAUSES[errno.ECONNRESET])

    def _fail(self, outcome: Outcome, error: str) -> None:
        row, self._row = self._row, _IDLE
        self.close()
        if row != _IDLE:
            self._owner.unanswered(row, outcome, error)


def _unconnected(address: Address) -> Any:
    made = _plain_socket(address.family, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
