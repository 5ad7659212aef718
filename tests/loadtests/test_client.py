"""The client's connections against bare sockets, at moments that no server could be made to meet."""

import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import gevent
import numpy as np
import pytest

from harness.target.broker import free_port
from loadtests.openloop.address import resolve
from loadtests.openloop.client import CONNECTIONS, Client
from loadtests.openloop.connection import Connection
from loadtests.openloop.schedule import NS_PER_S, Schedule
from loadtests.openloop.session import LoadSession, Outcomes, SessionLimits
from results.terms import Outcome
from tests.loadtests.scripted import reply

LIMIT_S = 60
REQUEST = b"GET /ping HTTP/1.1\r\nHost: h\r\n\r\n"


@dataclass
class Heard:
    """What a client reported of each row, in order."""

    answers: list[tuple[int, int]] = field(default_factory=list)
    failures: list[tuple[int, Outcome, str]] = field(default_factory=list)

    def client(self, port: int, host: str = "127.0.0.1") -> Client:
        return Client(
            resolve(f"http://{host}:{port}"),
            lambda row, answer, _: self.answers.append((row, answer.status)),
            lambda row, outcome, error: self.failures.append((row, outcome, error)),
        )

    def wait(self, ended: int) -> None:
        """Run the event loop until that many rows have ended, and some more for any that must not end."""
        with gevent.Timeout(LIMIT_S):
            while len(self.answers) + len(self.failures) < ended:
                gevent.sleep(0.001)
        gevent.sleep(0.02)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        listening.settimeout(LIMIT_S)
        yield listening


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def meet(listening: socket.socket) -> socket.socket:
    """Accept a connection once the client's side has got a first byte out."""
    peer, _ = listening.accept()
    peer.setblocking(False)
    await_byte(peer)
    peer.settimeout(LIMIT_S)
    return peer


def await_byte(peer: socket.socket) -> None:
    """Let the event loop run until something can be read, which is left there."""
    with gevent.Timeout(LIMIT_S):
        while True:
            try:
                peer.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                gevent.sleep(0.001)
            else:
                return


def test_connections_found_closed_are_passed_over_before_a_byte_leaves(
    heard: Heard, listener: socket.socket
) -> None:
    client = heard.client(port_of(listener))
    peers = []
    for row in range(CONNECTIONS):
        client.send(row, REQUEST)
        peers.append(meet(listener))
        assert peers[-1].recv(1000) == REQUEST
        peers[-1].sendall(reply(200, b"ok"))
        heard.wait(row + 1)
    for peer in peers:
        peer.close()
    # the event loop has not run since: the client learns of it from the connections themselves
    client.send(CONNECTIONS, REQUEST)
    with meet(listener) as peer:
        assert peer.recv(1000) == REQUEST
        peer.sendall(reply(200, b"ok"))
        heard.wait(CONNECTIONS + 1)
    client.close()
    assert [row for row, _ in heard.answers] == list(range(CONNECTIONS + 1))
    assert heard.failures == []


def test_a_connection_reset_before_its_first_byte_was_never_received(
    heard: Heard, listener: socket.socket
) -> None:
    client = heard.client(port_of(listener))
    client.send(0, REQUEST)
    listener.close()
    heard.wait(1)
    assert heard.failures == [(0, Outcome.REFUSED, "connection reset")]


def test_a_connection_reset_after_its_request_leaves_it_unknown(
    heard: Heard, listener: socket.socket
) -> None:
    client = heard.client(port_of(listener))
    client.send(0, REQUEST)
    with gevent.Timeout(LIMIT_S):
        while not client.in_flight[0].touched:
            gevent.sleep(0.001)
    listener.close()
    heard.wait(1)
    assert heard.failures == [(0, Outcome.UNKNOWN, "connection reset")]


@pytest.mark.parametrize("host", ["127.0.0.1", "255.255.255.255"])
def test_a_request_given_up_while_it_is_refused_ends_once(heard: Heard, host: str) -> None:
    """The second address is refused by the kernel within the call, and heard of after it."""
    client = heard.client(free_port(), host)
    for row in range(3):
        client.send(row, REQUEST)
        client.abandon(row, "given up")
    heard.wait(3)
    assert heard.failures == [(row, Outcome.REFUSED, "given up") for row in range(3)]
    assert client.in_flight == {}
    # each was taken off the count of open sockets once
    client.send(3, REQUEST)
    client.send(4, REQUEST)
    assert client.sockets_max == 2
    heard.wait(5)
    ended = sorted(failure[:2] for failure in heard.failures[3:])
    assert ended == [(3, Outcome.REFUSED), (4, Outcome.REFUSED)]


def test_a_socket_that_met_itself_has_met_nobody(heard: Heard) -> None:
    """A free port in the range of the clients' own may be given to a client that connects to it."""
    port = free_port()
    client = heard.client(port)
    target = resolve(f"http://127.0.0.1:{port}")
    connection = Connection(target, client)
    connection._sock.bind(target.sockaddr)
    connection.send(0, REQUEST)
    heard.wait(1)
    assert heard.failures == [(0, Outcome.REFUSED, "connection refused")]
    # and the port is free again for the server
    socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("size", [200, 8_000, 20_000_000])
def test_a_client_hangs_up_once_the_last_byte_has_left(
    heard: Heard, listener: socket.socket, size: int
) -> None:
    client = heard.client(port_of(listener))
    client.send(0, b"x" * size, hang_up=True)
    got = 0
    with meet(listener) as peer:
        peer.settimeout(0)
        if size > 10_000_000:
            # more than the kernel buffers: not all of it can have left yet
            assert heard.failures == []
        while block := read_now(peer):
            got += len(block)
    assert got == size
    heard.wait(1)
    assert heard.failures == [(0, Outcome.UNKNOWN, "closed early")]
    assert client.in_flight == {}


def test_hanging_up_on_a_kept_connection_leaves_the_others_alone(
    heard: Heard, listener: socket.socket
) -> None:
    client = heard.client(port_of(listener))
    peers = []
    for row in range(CONNECTIONS):
        client.send(row, REQUEST)
        peers.append(meet(listener))
    client_last = CONNECTIONS + 1
    for peer in peers:
        peer.recv(1000)
        peer.sendall(reply(200, b"ok"))
    heard.wait(CONNECTIONS)
    # the longest idle one carries it
    client.send(CONNECTIONS, REQUEST, hang_up=True)
    assert heard.failures == [(CONNECTIONS, Outcome.UNKNOWN, "closed early")]
    assert client.in_flight == {}
    (closed,), _, _ = select.select(peers, [], [], LIMIT_S)
    assert (closed.recv(1000), closed.recv(1)) == (REQUEST, b"")
    client.send(client_last, REQUEST)
    with meet(listener) as peer:
        peer.recv(1000)
        peer.sendall(reply(200, b"ok"))
        heard.wait(CONNECTIONS + 2)
    assert heard.answers[-1] == (client_last, 200)
    for peer in peers:
        peer.close()
    client.close()


def test_sockets_that_are_open_already_are_used_in_turn_before_any_other(
    heard: Heard, listener: socket.socket
) -> None:
    client = heard.client(port_of(listener))
    ours = [socket.create_connection(("127.0.0.1", port_of(listener))) for _ in range(CONNECTIONS)]
    peers = [listener.accept()[0] for _ in ours]
    for each in ours:
        each.setblocking(False)
    client.adopt(ours)
    for row, peer in enumerate(peers):
        client.send(row, REQUEST)
        peer.setblocking(False)
        assert read_now(peer) == REQUEST
        peer.sendall(reply(200, b"ok"))
        heard.wait(row + 1)
    client.close()
    assert [row for row, _ in heard.answers] == list(range(CONNECTIONS))
    assert (heard.failures, client.sockets_max) == ([], CONNECTIONS)
    for peer in peers:
        peer.close()


def read_now(peer: socket.socket) -> bytes:
    """Read some bytes, letting the event loop run meanwhile; empty at the connection's end."""
    await_byte(peer)
    return peer.recv(1_000_000)


def refused_session(arrivals: int) -> tuple[Outcomes, list[tuple[int, str]]]:
    """Walk a schedule whose arrivals are all due at once against a port where nobody listens."""
    settled: list[tuple[int, str]] = []
    zeros = np.zeros(arrivals, np.int64)
    schedule = Schedule(
        zeros,
        zeros.astype(np.int8),
        np.arange(arrivals, dtype=np.int32),
        zeros.astype(np.int16),
        np.zeros(arrivals),
    )
    session = LoadSession(
        schedule,
        lambda _: REQUEST,
        resolve(f"http://127.0.0.1:{free_port()}"),
        SessionLimits(
            schedule_ns=NS_PER_S // 2,
            drain_ns=NS_PER_S,
            timeout_ns=10 * NS_PER_S,
            max_in_flight=20_000,
        ),
        lambda row, _ms, _size, error: settled.append((row, error)),
    )
    return session.run(), settled


def test_a_crowd_of_refusals_ends_each_arrival_once() -> None:
    outcomes, settled = refused_session(800)
    assert sorted(settled) == [(row, "connection refused") for row in range(800)]
    assert set(outcomes.rows["outcome"]) == {Outcome.REFUSED}
    assert not outcomes.interrupted
