"""One process's part of a run: walks its schedule, waits for the answers, never for one of them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent
import numpy as np
from gevent.event import Event

from loadtests.openloop.address import Address
from loadtests.openloop.client import Client
from loadtests.openloop.live import Progress, progress
from loadtests.openloop.order import overdue_share
from loadtests.openloop.recorder import Recorder, Rows
from loadtests.openloop.schedule import NS_PER_S, Schedule
from loadtests.openloop.timer import best_timer
from loadtests.openloop.wire import Reply
from results.terms import NEVER, Outcome

_SWEEP_S = 0.05
_FAR = 2**63 - 1

Settled = Callable[[int, float | None, int, str], None]
"""Called with the row, the response time in ms from when the request was due (None if it was never sent),
the reply's size in bytes, and what went wrong."""


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """What ends a wait; nanoseconds but for the cap."""

    schedule_ns: int
    drain_ns: int
    timeout_ns: int
    max_in_flight: int


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What a session measured."""

    rows: Rows
    errors: list[str]
    start_ns: int
    end_ns: int
    """of the schedule, or the moment of the interruption"""
    drained_ns: int
    cpu_cores: float
    in_flight_max: int
    sockets_max: int
    timer: str
    interrupted: bool
    overdue_share: float = 0.0
    """of the schedule, where so much was due at its start that nothing was sent"""


class LoadSession:
    """Sends what is due when it is due.

    All callbacks run on the event loop, none waits: the timer and every request that ends launch whatever
    has become due meanwhile, so that neither a crowd of replies nor a crowd of broken connections can hold
    up the schedule.
    """

    def __init__(
        self,
        schedule: Schedule,
        request: Callable[[int], bytes],
        address: Address,
        limits: SessionLimits,
        settled: Settled,
        *,
        hung_up: np.ndarray | None = None,
        opened: Iterable[Any] = (),
    ) -> None:
        """`hung_up`, bool by row: whose connections to close before the answer; None stands for none.

        `opened`: sockets to begin with.
        """
        self._recorder = Recorder(schedule)
        self._offsets_ns = schedule.due_ns
        self._request = request
        self._limits = limits
        self._settled = settled
        self._client = Client(address, self._answered, self._unanswered)
        self._client.adopt(opened)
        self._hung_up = (np.zeros(len(schedule), bool) if hung_up is None else hung_up).tolist()
        self._due: list[int] = []
        self._next = self._told = self._shed = 0
        self._next_due_ns = _FAR
        self._in_flight_max = 0
        self._launching = False
        self._until: int | None = None
        self._overdue_share = 0.0
        self._cpu: list[tuple[int, int]] = []
        self._done = Event()
        self._timer = best_timer(self._woken)
        self.start_ns = self._end_ns = self._last_ns = self._drained_ns = 0

    def run(self, start_ns: int = 0) -> Outcomes:
        """Walk the schedule from that moment of the monotonic clock (0: from now) and drain.

        Being killed, like `interrupt`, ends it at once; what was due until then is kept. Where it begins too
        late (see `overdue_share`), nothing is sent.
        """
        self.start_ns = start_ns or time.monotonic_ns() + NS_PER_S // 20
        self._end_ns = self.start_ns + self._limits.schedule_ns
        self._due = [*(self._offsets_ns + self.start_ns).tolist(), _FAR]
        self._next_due_ns = self._due[0]
        self._timer.arm(self.start_ns)
        sweep = gevent.get_hub().loop.timer(_SWEEP_S, _SWEEP_S)
        sweep.start(self._sweep)
        try:
            self._done.wait()
        except gevent.GreenletExit:
            self.interrupt()
        finally:
            sweep.stop()
            sweep.close()
            self._timer.close()
            self._client.close()
        return self._outcomes()

    def interrupt(self) -> None:
        """End now: nothing more is sent, what is in flight counts as unknown."""
        if self._done.is_set():
            return
        now = time.monotonic_ns()
        self._until = self._next
        self._next_due_ns = _FAR
        self._end_ns = min(self._end_ns, max(now, self.start_ns))
        self._read_cpu()
        self._finish(now, "interrupted")

    def progress(self) -> Progress:
        """Return how far the schedule was walked, for whoever watches; the slip since the last call."""
        told, self._told = self._told, self._next
        since = slice(told, self._next)
        due_ns = self._offsets_ns[since] + self.start_ns
        sent_ns = np.array(self._recorder.sent_ns[since], np.int64)
        return progress(due_ns, sent_ns, self._next, self._shed, len(self._client.in_flight))

    def _outcomes(self) -> Outcomes:
        if len(self._cpu) < 2:
            cpu_cores = 0.0
        else:
            (cpu0, wall0), (cpu1, wall1) = self._cpu[0], self._cpu[1]
            cpu_cores = (cpu1 - cpu0) / max(wall1 - wall0, 1)
        return Outcomes(
            rows=self._recorder.rows(self.start_ns, self._until),
            errors=list(self._recorder.errors),
            start_ns=self.start_ns,
            end_ns=self._end_ns,
            drained_ns=self._drained_ns,
            cpu_cores=cpu_cores,
            in_flight_max=self._in_flight_max,
            sockets_max=self._client.sockets_max,
            timer=self._timer.name,
            interrupted=self._until is not None,
            overdue_share=self._overdue_share,
        )

    def _read_cpu(self) -> None:
        if len(self._cpu) < 2:
            self._cpu.append((time.process_time_ns(), time.monotonic_ns()))

    def overdue_share(self, start_ns: int) -> float:
        """Return the share of the schedule that would be sent at once if it began now; see `order`."""
        return overdue_share(self._offsets_ns, time.monotonic_ns() - start_ns)

    def _begin(self) -> None:
        self._read_cpu()
        self._overdue_share = self.overdue_share(self.start_ns)
        if self._overdue_share:
            self.interrupt()

    def _woken(self) -> None:
        if not self._cpu:
            self._begin()
        if self._next_due_ns != _FAR:
            self._launch(time.monotonic_ns())
        if self._next_due_ns != _FAR:
            self._timer.arm(self._next_due_ns)

    def _launch(self, now_ns: int) -> None:
        """Send everything due by now; what has become due meanwhile is for the next call."""
        due, sent_ns, client = self._due, self._recorder.sent_ns, self._client
        in_flight, cap = client.in_flight, self._limits.max_in_flight
        row = self._next
        self._launching = True
        while due[row] <= now_ns:
            self._next = row + 1
            self._next_due_ns = due[row + 1]
            if len(in_flight) >= cap:
                self._shed += 1
                self._recorder.settle(row, Outcome.SHED, 0, NEVER, "shed")
                self._settled(row, None, 0, "shed")
            else:
                request = self._request(row)
                sent_ns[row] = time.monotonic_ns()
                client.send(row, request, hang_up=self._hung_up[row])
            row = self._next
        self._launching = False
        self._in_flight_max = max(self._in_flight_max, len(in_flight))

    def _answered(self, row: int, reply: Reply, at_ns: int) -> None:
        self._settle(row, reply, at_ns, good=200 <= reply.status < 300)

    def _settle(self, row: int, reply: Reply, at_ns: int, *, good: bool) -> None:
        status = reply.status
        self._last_ns = at_ns
        self._recorder.settle(row, Outcome.ACCEPTED if good else Outcome.REJECTED, status, at_ns, "")
        if at_ns >= self._next_due_ns:
            self._launch(at_ns)
        self._settled(row, (at_ns - self._due[row]) / 1e6, reply.size, "" if good else f"status {status}")

    def _unanswered(self, row: int, outcome: Outcome, error: str) -> None:
        self._recorder.settle(row, outcome, 0, NEVER, error)
        now_ns = time.monotonic_ns()
        # a request may end while it is being sent: what is due then is launched already
        if now_ns >= self._next_due_ns and not self._launching:
            self._launch(now_ns)
        self._settled(row, (now_ns - self._due[row]) / 1e6, 0, error)

    def _sweep(self) -> None:
        """Twenty times a second: end what has waited too long, and the run itself."""
        now = time.monotonic_ns()
        in_flight, sent_ns = self._client.in_flight, self._recorder.sent_ns
        expired = now - self._limits.timeout_ns
        while in_flight and sent_ns[row := next(iter(in_flight))] <= expired:
            self._client.abandon(row, "timeout")
        if now < self._end_ns or self._next_due_ns != _FAR:
            return
        self._read_cpu()
        if not in_flight:
            self._finish(max(self._last_ns, self._end_ns), "")
        elif now >= self._end_ns + self._limits.drain_ns:
            self._finish(now, "drain limit")

    def _finish(self, now_ns: int, error: str) -> None:
        for row in list(self._client.in_flight):
            self._client.abandon(row, error)
        self._drained_ns = now_ns
        self._done.set()
