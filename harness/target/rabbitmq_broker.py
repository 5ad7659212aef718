"""A RabbitMQ server as a broker: the embedded one, which is ours."""

import contextlib
import secrets
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp

from harness.target.broker import Broker, answering, free_port, write_privately
from harness.target.cores import Pinning
from harness.target.processes import Child, Family
from harness.target.rabbitmq_server import Node, program, unacknowledged
from targets import depths

CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 5


class RabbitmqBroker(Broker):
    """A connection to the only virtual host of a RabbitMQ server."""

    silences = (amqp.AMQPError, OSError)

    def __init__(self, url: str, child: Child | None, node: Node | None = None) -> None:
        self.url = url
        self.child = child
        self._node = node
        """ours; a server of a user's tells less"""
        self._connection: Any = None
        self._asked: set[str] = set()
        """queues that we know of: a client cannot ask for their names"""

    def describe(self) -> dict[str, str]:
        """Return the server's name and version, for the manifest."""
        told = self._connected().server_properties
        return {
            "server": "rabbitmq",
            "version": str(told.get("version", "")),
            "platform": str(told.get("platform", "")),
            "embedded": str(self.child is not None),
        }

    def depth(self, queues: Iterable[str]) -> int:
        """Return how many messages wait in the queues; what a worker has fetched is not among them."""
        return sum(self._waiting(queue) for queue in queues)

    def entries(self, queue: str) -> list[bytes]:
        """Return the messages that wait in one queue: each is fetched, and given back in its place."""
        self._asked.add(queue)
        return [part for message in self._fetched(queue) for part in _words(message)]

    def contents(self) -> Iterator[bytes]:
        """Yield what waits in every queue that was ever asked for."""
        for queue in sorted(self._asked):
            yield from self.entries(queue)

    def unseen(self) -> int:
        """Return how many messages workers have fetched and not acknowledged."""
        return unacknowledged(self._node.environment()) if self._node else 0

    def ping(self) -> bool:
        """Say whether the server answers."""
        with self._channel():
            return True

    def close(self) -> None:
        """Close our connection."""
        if self._connection:
            with contextlib.suppress(*self.silences):
                self._connection.close()

    def _waiting(self, queue: str) -> int:
        self._asked.add(queue)
        return depths.of_rabbitmq(self._connected(), queue)

    def _fetched(self, queue: str) -> list[Any]:
        with contextlib.suppress(amqp.NotFound), self._channel() as channel:
            return list(iter(lambda: channel.basic_get(queue), None))
        return []

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        """Give a channel; when it is closed, what was fetched through it goes back."""
        channel = self._connected().channel()
        try:
            yield channel
        finally:
            if channel.is_open:
                channel.close()

    def _connected(self) -> Any:
        """Return our connection, a new one where the server was started again meanwhile."""
        if self._connection is None or not self._connection.connected:
            self._let_go()
            self._connection = self._made()
            try:
                self._connection.connect()
            except amqp.AMQPError:
                self._let_go()
                raise
        return self._connection

    def _made(self) -> Any:
        parts = urlsplit(self.url)
        # amqp leaves its socket open where nobody listens
        socket.create_connection((parts.hostname, parts.port), CONNECT_TIMEOUT_S).close()
        return amqp.Connection(
            host=f"{parts.hostname}:{parts.port}",
            userid=parts.username or "",
            password=parts.password or "",
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=ANSWER_TIMEOUT_S,
            write_timeout=ANSWER_TIMEOUT_S,
        )

    def _let_go(self) -> None:
        """Close the socket of a connection that is lost or was refused."""
        if self._connection is not None:
            self._connection.collect()
            self._connection = None


def _words(message: Any) -> Iterator[bytes]:
    body = message.body
    yield body if isinstance(body, bytes) else str(body).encode()
    yield str(message.properties.get("correlation_id", "")).encode()


@contextlib.contextmanager
def embedded_rabbitmq(
    family: Family,
    folder: Path,
    pinning: Pinning,
    *,
    appendonly: bool = False,  # noqa: ARG001
) -> Iterator[RabbitmqBroker]:
    """Start a server of our own on a free loopback port, as it comes: what is durable it writes to disk.

    It takes nobody without the password, and lets a target do nothing that governs the server. Raises
    NoEnvironmentError where there is no server, BlockpointError where it does not start.
    """
    command = [program()]
    folder.mkdir(parents=True, exist_ok=True)
    node = Node(folder, free_port(), free_port(), free_port(), secrets.token_hex(16))
    write_privately(folder / "rabbitmq.conf", node.configuration())
    (folder / "enabled_plugins").write_text("[].\n")
    child = family.spawn("broker", command, folder / "broker.log", node.environment(), pinning)
    with answering(RabbitmqBroker(node.url, child, node), family) as broker:
        yield broker
