"""A RabbitMQ server as a broker: the embedded one, which is ours."""

import contextlib
import re
import secrets
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp

from harness.target.broker import START_LIMIT_S, free_port, write_privately
from harness.target.cores import Pinning
from harness.target.processes import Child, Family, died
from harness.target.rabbitmq_server import Node, program
from results.errors import BlockpointError
from results.waiting import wait_until

CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 5
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


class RabbitmqBroker:
    """A connection to the only virtual host of a RabbitMQ server."""

    silences = (amqp.AMQPError, OSError)

    def __init__(self, url: str, child: Child | None) -> None:
        self.url = url
        self.child = child
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

    def ping(self) -> bool:
        """Say whether the server answers."""
        with self._channel():
            return True

    def await_answer(self) -> None:
        """Wait until an embedded server answers; raises BlockpointError where it does not."""
        if not wait_until(self._answers, START_LIMIT_S):
            said = self.child.log_tail() if self.child else ""
            raise BlockpointError(f"the broker did not answer within {START_LIMIT_S:.0f} s:\n{said}")

    def _answers(self) -> bool:
        if self.child and not self.child.running:
            raise died("the broker", self.child)
        try:
            return self.ping()
        except self.silences:
            return False

    def holdings(self, queues: Iterable[str]) -> dict[str, set[int]]:
        """Return the task ids that stand in each queue's messages.

        Raises BlockpointError where the server no longer answers.
        """
        with self._heard():
            return {queue: _ids_in(self.entries(queue)) for queue in queues}

    def task_ids(self, queues: Iterable[str]) -> set[int]:
        """Return the task ids in all of the queues; see `holdings`."""
        return set().union(*self.holdings(queues).values())

    def named(self) -> set[int]:
        """Return every id that stands in a queue that was ever asked for; raises like `holdings`."""
        with self._heard():
            return _ids_in(self.contents())

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except self.silences as error:
            raise BlockpointError(f"the broker no longer answers: {error}") from None

    def close(self) -> None:
        """Close our connection."""
        if self._connection:
            with contextlib.suppress(*self.silences):
                self._connection.close()

    def _waiting(self, queue: str) -> int:
        self._asked.add(queue)
        with contextlib.suppress(amqp.NotFound), self._channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
        return 0

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


def _ids_in(texts: Iterable[bytes]) -> set[int]:
    return {int(word, 16) for text in texts for word in _ID.findall(text)}


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
    broker = RabbitmqBroker(node.url, child)
    try:
        broker.await_answer()
        yield broker
    finally:
        broker.close()
        if broker.child:
            family.stop(broker.child)
