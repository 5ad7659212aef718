"""Asks a service for each task that it accepted until it has ended: `python -m harness.service.follower`.

It reads the journal that the generator writes, and records what it sees as a target of ours does: in a
ledger.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from blockpoint.observe import LAYOUT, PREFIX, RecordFile
from harness.service.asking import Asking
from harness.service.declaration import CompletionsSection
from results.errors import BlockpointError
from results.service import Asked, Request
from results.template import Template
from results.terms import Moment

ASK_LIMIT_S: Final = 10.0
NAP_S: Final = 0.01


class Order(msgspec.Struct, frozen=True):
    """What a follower is told."""

    asked: Asked
    completions: CompletionsSection
    ledger: str
    """the folder"""


def looking(completions: CompletionsSection, task_id: int, told: Mapping[str, str]) -> Request:
    """Return the request that asks for a task; raises BlockpointError where the reply lacked a field."""
    path = Template(completions.path)
    values = {**told, "id": f"{task_id:016x}"}
    if missing := [name for name in path.fields if name not in values]:
        raise BlockpointError(
            f"[completions]: path needs {missing[0]!r} of the reply to [submit], which has no such field"
        )
    return Request(path=path.fill(values))


def ended(completions: CompletionsSection, body: bytes) -> Moment | None:
    """Return how a task has ended, by the answer; None where it has not."""
    value = value_in(body, completions.field)
    if value is None:
        return None
    if value in _texts(completions.failed):
        return Moment.FAILED
    return Moment.FINISHED if value in _texts(completions.equals) else None


def value_in(body: bytes, field_path: str) -> str | None:
    """Return the value of a field of a JSON answer, as text; None where there is none."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return None
    for name in field_path.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return _text(found)


def _texts(values: object) -> list[str]:
    return [_text(each) for each in (values if isinstance(values, list) else [values])]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass
class Follower:
    """Follows tasks in the order in which they were accepted, each looked at again after a while."""

    order: Order
    pending: dict[int, tuple[float, Request]] = field(default_factory=dict)
    """by task: when to look again, and how"""

    def __post_init__(self) -> None:
        self._asking = Asking(self.order.asked, ASK_LIMIT_S)
        self._append = RecordFile(Path(self.order.ledger), PREFIX, LAYOUT).append
        self._pid = os.getpid()

    def run(self) -> None:
        """Follow for ever: whoever started this ends it."""
        for lines in _tail(Path(self.order.asked.journal)):
            for line in lines:
                self._take(*json.loads(line))
            if not self._look():
                time.sleep(NAP_S)

    def _take(self, task_id: int, at_ns: int, told: Mapping[str, str]) -> None:
        completions = self.order.completions
        self._append(task_id, at_ns, self._pid, 0, Moment.ACCEPTED)
        self.pending[task_id] = time.monotonic() + completions.every, looking(completions, task_id, told)

    def _look(self) -> bool:
        """Look at the oldest task whose time has come; returns whether there was one."""
        now_s, completions = time.monotonic(), self.order.completions
        due = next((task for task, (at_s, _) in self.pending.items() if at_s <= now_s), None)
        if due is None:
            return False
        request = self.pending[due][1]
        try:
            how = ended(completions, self._asking.ask(request).body)
        except OSError:
            how = None
        if how is None:
            self.pending[due] = time.monotonic() + completions.every, request
        else:
            del self.pending[due]
            self._append(due, time.monotonic_ns(), self._pid, 1, how)
        time.sleep(max(now_s + 1 / completions.most_per_s - time.monotonic(), 0.0))
        return True


def _tail(path: Path) -> Iterator[list[str]]:
    """Yield the whole lines that were added since the last time, for ever."""
    with path.open() as journal:
        rest = ""
        while True:
            *lines, rest = (rest + journal.read()).split("\n")
            yield lines


if __name__ == "__main__":
    Follower(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)).run()
