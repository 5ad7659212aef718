"""The generators of one run, as the process that leads it sees them: names, clocks, rows."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gevent.event import Event
from gevent.pool import Pool

from loadtests.openloop.asking import Answerer, Asker
from loadtests.openloop.clocks import Exchange, Offset, offset
from loadtests.openloop.recorder import KINDS, Rows
from loadtests.openloop.spool import column
from results.clock import boot_id
from results.errors import BlockpointError

CLOCK, ROWS = "clock", "rows"
EXCHANGES = 25
"""the quickest counts: 25 of them meet a quiet moment of the bus"""
LONGEST_S = 2.0
"""for the exchanges with one worker, after the first few"""
FEWEST = 5
AT_ONCE = 4
"""workers whose clocks are compared beside each other"""
PIECE_ROWS = 50_000
"""2 MB: what is on its way at a time"""
PIECE_PATIENCE_S = 15.0


@dataclass(frozen=True)
class Sighting:
    """A generator as it introduced itself, and its clock then."""

    name: str
    host: str
    boot_id: str
    offset: Offset


def alone() -> Sighting:
    """Return how a process sees itself that leads and generates alike."""
    return Sighting("", platform.node(), boot_id(), Offset(time.monotonic_ns()))


class Crew:
    """The workers that a master asks; each has kept its rows until it is told that they have come."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._asker = Asker(runner)

    def ready(self) -> list[str]:
        """Return the names of the workers that wait for a run."""
        return [worker.id for worker in self._runner.clients.ready]

    def gone(self, name: str) -> bool:
        """Say whether a worker has left, or sends no sign of life."""
        worker = self._runner.clients.get(name)
        return worker is None or worker in self._runner.clients.missing

    def compare(self, names: Sequence[str]) -> list[Sighting | None]:
        """Compare clocks; None stands for a worker that does not answer."""
        return list(Pool(AT_ONCE).map(self._sighting, names))

    def fetch(self, worker: str, tag: int, count: int) -> Rows | None:
        """Return the rows that a worker kept, piece by piece; None where they do not come."""
        columns = {name: column(count, kind) for name, kind in KINDS.items()}
        try:
            for begin in range(0, count, PIECE_ROWS):
                piece, _ = self._asker.ask(worker, ROWS, tag, begin, patience_s=PIECE_PATIENCE_S)
                for name, kind in KINDS.items():
                    columns[name][begin : begin + PIECE_ROWS] = np.frombuffer(piece[name], kind)
        except (BlockpointError, KeyError, TypeError, ValueError):
            return None
        return columns

    def _sighting(self, name: str) -> Sighting | None:
        exchanges: list[Exchange] = []
        host = boot = ""
        until_s = time.monotonic() + LONGEST_S
        while len(exchanges) < EXCHANGES and (len(exchanges) < FEWEST or time.monotonic() < until_s):
            asked_ns = time.monotonic_ns()
            try:
                (read_ns, boot, host), came_ns = self._asker.ask(name, CLOCK)
            except BlockpointError:
                return None
            exchanges.append(Exchange(asked_ns, read_ns, came_ns))
        return Sighting(name, host, boot, offset(exchanges, same=boot == boot_id()))


class Hand:
    """A worker that tells its time, and keeps the rows of its last run until the next."""

    def __init__(self, runner: Any) -> None:
        self._tag = -1
        self._rows: Rows = {}
        self._fetched = Event()
        self._fetched.set()
        self._boot_id = boot_id()
        Answerer(runner, {CLOCK: self._time, ROWS: self._piece})

    def keep(self, tag: int, rows: Rows) -> None:
        """Keep the rows of the run with that tag."""
        self._tag, self._rows = tag, rows
        if len(rows["due_ns"]):
            self._fetched.clear()

    def await_fetch(self, seconds: float) -> None:
        """Wait until the last of the rows was fetched."""
        self._fetched.wait(seconds)

    def _time(self) -> list[Any]:
        return [time.monotonic_ns(), self._boot_id, platform.node()]

    def _piece(self, tag: int, begin: int) -> dict[str, bytes]:
        if tag != self._tag:
            return {}
        if begin + PIECE_ROWS >= len(self._rows["due_ns"]):
            self._fetched.set()
        return {name: values[begin : begin + PIECE_ROWS].tobytes() for name, values in self._rows.items()}
