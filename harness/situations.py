"""Known situations of a target, made by real requests and read from its ledger."""

import contextlib
import secrets
import signal
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from harness.target import direct
from harness.target.processes import Child
from harness.target.target import Stack
from results.errors import BlockpointError
from results.terms import Moment
from targets.operators.operator import FAILED, FINISHED, RUNNING, UNHEARD_OF, WAITING

SETTLE_LIMIT_S = 60.0
LOOK_S = 0.05
REPLY_LIMIT_S = 120.0


class Situations:
    """Sends tasks to one target and tells from its ledger how far they have come."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._reader = stack.reader()
        self._killed: list[Child] = []

    def send(self, count: int, duration_ms: float, fail_first: int = 0) -> list[str]:
        """Post that many tasks, each on a connection of its own; returns their ids without any reply."""
        ids = [secrets.token_hex(8) for _ in range(count)]
        for task_id in ids:
            body = {"task_id": task_id, "duration_ms": duration_ms, "fail_first": fail_first}
            threading.Thread(target=_post, args=(f"{self._stack.url}/tasks", body), daemon=True).start()
        return ids

    def states(self, ids: Sequence[str]) -> list[str]:
        """Return how far each task has come, by its executors' records."""
        events = self._reader.events()
        return [self._state(events[events["task_id"] == np.uint64(int(task_id, 16))]) for task_id in ids]

    def waiting(self, ids: Sequence[str]) -> list[str]:
        """Return those of the tasks that wait, in the order in which the target received them."""
        received = self._reader.events()
        received = np.sort(received[received["moment"] == Moment.RECEIVED], order="at_ns")
        place = {int(event["task_id"]): index for index, event in enumerate(received)}
        queued = (i for i, state in zip(ids, self.states(ids), strict=True) if state == WAITING)
        return sorted(queued, key=lambda task_id: place[int(task_id, 16)])

    def failure(self, task_id: str) -> int:
        """Return the number of the attempt whose exception ended the task; 0 where none has."""
        mine = self._moments(task_id, Moment.FAILED)
        return int(mine["attempt"].max(initial=0))

    def runner(self, task_id: str) -> int:
        """Return the id of the process that started the task last; 0 where none has."""
        mine = np.sort(self._moments(task_id, Moment.STARTED), order="at_ns")
        return int(mine["pid"][-1]) if len(mine) else 0

    def await_states(self, ids: Sequence[str], states: set[str], limit_s: float = SETTLE_LIMIT_S) -> bool:
        """Wait until every task is in one of the states; returns whether that came within the limit.

        Raises BlockpointError where a process of the target exits meanwhile.
        """
        return self.eventually(lambda: set(self.states(ids)) <= states, limit_s)

    def eventually(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Wait for a condition; returns whether it came. Raises like `await_states`."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if gone := self.gone():
                raise gone
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_S)
        return True

    def gone(self) -> BlockpointError | None:
        """Return what is to be said, in one line, where a process of the target has exited by itself."""
        for child in self._stack.children():
            if not child.running and child not in self._killed:
                return BlockpointError(
                    f"{self._stack.subject.key}: its {child.role} process exited with code "
                    f"{child.process.poll()} during the interview; {child.log.name} has its last words"
                )
        return None

    def executors(self) -> list[Child]:
        """Return the processes that run tasks: the workers, or else the web's."""
        return self._stack.workers or self._stack.web

    def kill_executors(self) -> None:
        """SIGKILL the groups of all processes that run tasks."""
        for child in self.executors():
            child.signal_group(signal.SIGKILL)
            child.process.wait()
            self._killed.append(child)

    def in_broker(self, task_id: str) -> bool:
        """Say whether the broker holds the task."""
        broker, queues = self._stack.broker, self._stack.subject.queues
        return broker is not None and int(task_id, 16) in broker.task_ids(queues)

    def _moments(self, task_id: str, moment: Moment) -> np.ndarray:
        events = self._reader.events()
        chosen = (events["task_id"] == np.uint64(int(task_id, 16))) & (events["moment"] == moment)
        return np.asarray(events[chosen])

    def _state(self, events: np.ndarray) -> str:
        moment = events["moment"]
        failures = events["attempt"][moment == Moment.FAILED]
        if (moment == Moment.FINISHED).any():
            return FINISHED
        if (failures >= self._stack.subject.max_attempts).any():
            return FAILED
        if (moment == Moment.STARTED).sum() > len(failures):
            return RUNNING
        return WAITING if len(events) else UNHEARD_OF


def _post(url: str, body: dict[str, object]) -> None:
    """Post without looking at the reply: the ledger tells what became of the task."""
    with contextlib.suppress(OSError):
        direct.post(url, body, REPLY_LIMIT_S)
