"""What a target, a trial and a drill need of a broker, whichever server it is."""

import contextlib
import itertools
import os
import re
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from harness.target.processes import Child, Family, died
from results.errors import BlockpointError
from results.waiting import wait_until

START_LIMIT_S = 30.0
PORTS_OF_A_PROCESS = 64
FIRST_PORT, PORTS = 10_000, 320 * PORTS_OF_A_PROCESS
"""below those that Linux and macOS give to clients"""
B = TypeVar("B", bound="Broker")
_turns = itertools.count()
_held: deque[int] = deque()
"""descriptors, which the end of the process closes without a word"""
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


class Broker(Protocol):
    """A connection to the server whose one database holds nothing but our tasks."""

    url: str
    """what the target gets"""
    child: Child | None
    """the embedded server; None where it is a user's"""
    silences: ClassVar[tuple[type[Exception], ...]]
    """what its client raises where the server does not answer"""

    def describe(self) -> dict[str, str]:
        """Return the server's name, version and persistence, for the manifest."""

    def depth(self, queues: Iterable[str]) -> int:
        """Return how many entries the queues hold."""

    def entries(self, queue: str) -> list[bytes]:
        """Return what one queue holds; raises one of `silences`."""

    def contents(self) -> Iterator[bytes]:
        """Yield all that stands anywhere in the database; raises one of `silences`."""

    def ping(self) -> bool:
        """Say whether the server answers; raises one of `silences`."""

    def unseen(self) -> int:
        """Return how many tasks workers have fetched and not acknowledged without a trace in `contents`."""
        return 0

    def used_bytes(self) -> int:
        """Return how much memory the server has allocated; 0 where it does not say."""
        return 0

    def close(self) -> None:
        """Close our connection."""

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
        """Return the task ids that stand in each queue's entries.

        Ids are found as words of 16 hex digits, so the result may hold strangers: intersect it. Raises
        BlockpointError where the server no longer answers.
        """
        with self._heard():
            return {queue: _ids_in(self.entries(queue)) for queue in queues}

    def task_ids(self, queues: Iterable[str]) -> set[int]:
        """Return the task ids in all of the queues; see `holdings`."""
        return set().union(*self.holdings(queues).values())

    def named(self) -> set[int]:
        """Return every id that stands anywhere in the database; raises like `holdings`."""
        with self._heard():
            return _ids_in(self.contents())

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except self.silences as error:
            raise BlockpointError(f"the broker at {self.url} no longer answers: {error}") from None


@contextlib.contextmanager
def answering(broker: B, family: Family) -> Iterator[B]:
    """Wait until an embedded server answers, and end it afterwards, be it started again meanwhile.

    Raises BlockpointError where it does not answer.
    """
    try:
        broker.await_answer()
        yield broker
    finally:
        broker.close()
        if broker.child:
            family.stop(broker.child)


def _ids_in(texts: Iterable[bytes]) -> set[int]:
    return {int(word, 16) for text in texts for word in _ID.findall(text)}


def free_port() -> int:
    """Return a loopback port that nothing listens on now, and that neither clients nor other calls get soon.

    What is to listen there needs seconds to start, and may be started again: a port of those that the system
    hands out to whoever connects could be taken meanwhile. One that was given is held by a datagram socket of
    the same number, which other processes meet and a server does not, until this process ends or asks for
    `PORTS_OF_A_PROCESS` more. Raises BlockpointError where none is left.
    """
    own = os.getpid() * PORTS_OF_A_PROCESS
    for _ in range(PORTS):
        port = FIRST_PORT + (own + next(_turns)) % PORTS
        holder = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe, contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
            _held.append(holder.detach())
            if len(_held) > PORTS_OF_A_PROCESS:
                os.close(_held.popleft())
            return port
        holder.close()
    raise BlockpointError(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")


def write_privately(path: Path, text: str) -> None:
    """Write a file that only this user can read."""
    path.touch(0o600)
    path.write_text(text)
