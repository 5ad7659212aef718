"""The journal in which the generator writes down what a service accepts, and the ledger that is made of it.

Where a service's tasks record nothing themselves, a process of ours does it for them: the journal tells it of
each task, it sees the task end, and records both as a target of ours does.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from blockpoint.observe import LAYOUT, PREFIX, RecordFile
from harness.service.declaration import CompletionsSection
from results.service import Asked
from results.terms import Moment


class Order(msgspec.Struct, frozen=True):
    """What such a process is told."""

    asked: Asked
    completions: CompletionsSection
    ledger: str
    """the folder"""
    listen: str = ""
    """where callbacks come, HOST:PORT"""

    @classmethod
    def read(cls, path: str) -> "Order":
        """Return the order in a file."""
        return msgspec.json.decode(Path(path).read_bytes(), type=cls)


class Noted(NamedTuple):
    """One line of a journal."""

    task_id: int
    at_ns: int
    """when the answer came that accepted it"""
    told: dict[str, str]
    """fields of that answer"""


def note(path: str, task_id: int, told: Mapping[str, str]) -> None:
    """Write down a task that was accepted now, beside the generator's."""
    line = json.dumps([task_id, time.monotonic_ns(), told])
    with Path(path).open("a") as journal:
        journal.write(f"{line}\n")


def noted(path: str) -> Iterator[list[Noted]]:
    """Yield what was added since the last time, for ever."""
    with Path(path).open() as journal:
        rest = ""
        while True:
            *lines, rest = (rest + journal.read()).split("\n")
            yield [Noted(*json.loads(line)) for line in lines]


class Record:
    """The ledger's side: what this process has seen of tasks."""

    def __init__(self, folder: str) -> None:
        self._append = RecordFile(Path(folder), PREFIX, LAYOUT).append
        self._pid = os.getpid()

    def accepted(self, task: Noted) -> None:
        """Record that a task was accepted."""
        self._append(task.task_id, task.at_ns, self._pid, 0, Moment.ACCEPTED)

    def ended(self, task_id: int, at_ns: int, how: Moment) -> None:
        """Record how it ended."""
        self._append(task_id, at_ns, self._pid, 1, how)
