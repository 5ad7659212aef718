"""Keep-alive connections to one target, used in turn.

In turn, and never fewer than `CONNECTIONS`, because uvicorn closes a connection when the background task of
an earlier answer raises: the longer one has been idle, the less likely it is hit by that with a new request
on it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from loadtests.openloop.address import Address
from loadtests.openloop.connection import Connection
from loadtests.openloop.service_address import ServiceAddress
from loadtests.openloop.service_connection import ServiceConnection
from loadtests.openloop.wire import Reply
from results.terms import Outcome

CONNECTIONS = 32
"""Opened before any is used again."""

Answered = Callable[[int, Reply, int], None]
Unanswered = Callable[[int, Outcome, str], None]


class Client:
    """Sends requests without ever waiting; reports how each ends through two callbacks.

    `answered(row, reply, at_ns)` or `unanswered(row, outcome, error)` is called once for each row.
    """

    def __init__(self, address: Address, answered: Answered, unanswered: Unanswered) -> None:
        self.in_flight: dict[int, Connection] = {}
        """by row, the oldest first"""
        self.sockets_max = 0
        self._sockets = 0
        self._address = address
        self._open: Any = ServiceConnection if isinstance(address, ServiceAddress) else Connection
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._on_answered = answered
        self._on_unanswered = unanswered

    def adopt(self, sockets: Iterable[Any]) -> None:
        """Use these, which are open already, before any that would have to be opened."""
        for opened in sockets:
            self._idle[self._open(self._address, self, opened)] = None
            self._sockets += 1
        self.sockets_max = max(self.sockets_max, self._sockets)

    def send(self, row: int, request: bytes, *, hang_up: bool = False) -> None:
        """Send a request on an idle connection, or on a new one where none is idle.

        With `hang_up` the connection is closed when the last byte has left, and the answer is not waited for.
        """
        idle = self._idle
        while idle and self._sockets >= CONNECTIONS:
            connection, _ = idle.popitem(last=False)
            self.in_flight[row] = connection
            if connection.send(row, request, hang_up=hang_up):
                return
            del self.in_flight[row]
        try:
            connection = self._open(self._address, self)
        except OSError as error:
            self._on_unanswered(row, Outcome.REFUSED, (error.strerror or "no socket").lower())
            return
        self._sockets += 1
        self.sockets_max = max(self.sockets_max, self._sockets)
        self.in_flight[row] = connection
        connection.send(row, request, hang_up=hang_up)

    def abandon(self, row: int, error: str) -> None:
        """Give up a request in flight: never received if no byte of it has left, else unknown."""
        connection = self.in_flight.pop(row)
        outcome = Outcome.UNKNOWN if connection.touched else Outcome.REFUSED
        connection.close()
        self._on_unanswered(row, outcome, error)

    def close(self) -> None:
        """Close every idle connection."""
        for connection in list(self._idle):
            connection.close()

    def answered(self, row: int, reply: Reply, at_ns: int) -> None:
        """See `Owner`."""
        del self.in_flight[row]
        self._on_answered(row, reply, at_ns)

    def unanswered(self, row: int, outcome: Outcome, error: str) -> None:
        """See `Owner`."""
        self.in_flight.pop(row, None)
        self._on_unanswered(row, outcome, error)

    def idle(self, connection: Connection) -> None:
        """See `Owner`."""
        self._idle[connection] = None

    def closed(self, connection: Connection) -> None:
        """See `Owner`."""
        self._sockets -= 1
        self._idle.pop(connection, None)
