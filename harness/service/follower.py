"""Asks a service for each task that it accepted until it has ended: `python -m harness.service.follower`."""

import itertools
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.service.asking import Asking
from harness.service.declaration import CompletionsSection
from harness.service.ends import ended
from harness.service.journal import Noted, Order, Record, noted
from results.errors import BlockpointError
from results.service import Request
from results.template import Template

ASK_LIMIT_S: Final = 10.0
NAP_S: Final = 0.01


def looking(completions: CompletionsSection, task_id: int, told: Mapping[str, str]) -> Request:
    """Return the request that asks for a task; raises BlockpointError where the reply lacked a field."""
    path = Template(completions.path)
    values = {**told, "id": f"{task_id:016x}"}
    if missing := [name for name in path.fields if name not in values]:
        raise BlockpointError(
            f"[completions]: path needs {missing[0]!r} of the reply to [submit], which has no such field"
        )
    return Request(path=path.fill(values))


def round_s(completions: CompletionsSection, tasks: int) -> float:
    """Return the time in which so many tasks have all been looked at: every other look is by turns."""
    return 2 * tasks / completions.most_per_s if completions.source == "poll" else 0.0


@dataclass
class Follower:
    """Looks at tasks by turns: at the oldest, and at the one that has waited longest for a look.

    The oldest mostly ends first, so that its end is seen in time; and yet tasks that never end keep no other
    from being looked at.
    """

    order: Order
    pending: dict[int, tuple[float, Request]] = field(default_factory=dict)
    """by task, the oldest first: when to look again, and how"""

    def __post_init__(self) -> None:
        self._asking = Asking(self.order.asked, ASK_LIMIT_S)
        self._record = Record(self.order.ledger)
        self._turns = itertools.cycle((False, True))

    def run(self) -> None:
        """Follow for ever: whoever started this ends it."""
        for tasks in noted(self.order.asked.journal):
            for task in tasks:
                self.take(task)
            if not self.look():
                time.sleep(NAP_S)

    def take(self, task: Noted) -> None:
        """Begin to follow a task."""
        completions = self.order.completions
        self._record.accepted(task)
        request = looking(completions, task.task_id, task.told)
        self.pending[task.task_id] = time.monotonic() + completions.every, request

    def look(self) -> bool:
        """Look at one task whose time has come; returns whether there was one."""
        now_s, completions = time.monotonic(), self.order.completions
        task_id = self._due(now_s)
        if task_id is None:
            return False
        request = self.pending[task_id][1]
        try:
            how = ended(completions, self._asking.ask(request).body)
        except OSError:
            how = None
        if how is None:
            self.pending[task_id] = time.monotonic() + completions.every, request
        else:
            del self.pending[task_id]
            self._record.ended(task_id, time.monotonic_ns(), how)
        time.sleep(max(now_s + 1 / completions.most_per_s - time.monotonic(), 0.0))
        return True

    def _due(self, now_s: float) -> int | None:
        due = [(at_s, task_id) for task_id, (at_s, _) in self.pending.items() if at_s <= now_s]
        if not due:
            return None
        return min(due)[1] if next(self._turns) else due[0][1]


if __name__ == "__main__":
    Follower(Order.read(sys.argv[1])).run()
