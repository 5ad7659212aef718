"""Ordinary Locust users, each waiting for its answer before it goes on: a closed loop, recorded alike.

Their rows say that a request was due when it was sent, for nobody knows when it should have been: what a slow
target kept them from sending is in no row. The bystanders beside them stay open-loop.
"""

import random
import time
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, ClassVar

import gevent
import locust
import numpy as np
from gevent.event import AsyncResult
from locust import FastHttpUser, task
from locust.runners import MasterRunner

from loadtests.openloop.faults import poison_fields, poisoned
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.recorder import KINDS, Rows, empty_rows, merge
from loadtests.openloop.run import Message
from loadtests.openloop.scenario import Scenario, task_fields
from loadtests.openloop.schedule import NS_PER_S
from loadtests.openloop.session import LoadSession, Outcomes
from loadtests.openloop.user import open_session, use
from results.terms import NEVER, Outcome, Stream
from results.waiting import wait_until

_POLL_S = 0.05


class ClosedLoopSession:
    """One process's part of a closed-loop run: what its users share."""

    def __init__(self, order: Message, scenario: Scenario, session: LoadSession) -> None:
        self.settings = LoadSettings(order["settings"])
        self.pace_s = order["users"] / self.settings.rate
        """from one request of a user to its next, at least"""
        self.start_ns: int = order["start_ns"] or time.monotonic_ns() + NS_PER_S // 20
        self.open = True
        self._order = order
        self._session = session
        self._step = scenario.plan(self.settings)[0]
        self._numbers = count()
        self._errors = [""]
        self._rows: dict[int, list[int]] = {}
        self._in_flight = 0

    def begin(self) -> tuple[int, str]:
        """Note that a request is being sent; returns its arrival number and task id."""
        arrival = next(self._numbers) * self._order["count"] + self._order["index"]
        now_ns = time.monotonic_ns()
        self._rows[arrival] = [now_ns, now_ns, NEVER, 0, Outcome.UNKNOWN, 0]
        self._in_flight += 1
        return arrival, f"{(self._order['tag'] << 32) | ((arrival + 1) << 2):016x}"

    def end(self, arrival: int, status: int, error: str) -> None:
        """Note how a request ended; `status` is 0 where no answer came."""
        row = self._rows[arrival]
        self._in_flight -= 1
        if error not in self._errors:
            self._errors.append(error)
        row[5] = self._errors.index(error)
        if status:
            row[2] = time.monotonic_ns()
            row[3] = status
            row[4] = Outcome.ACCEPTED if 200 <= status < 300 else Outcome.REJECTED
        elif error == "connection refused":
            row[4] = Outcome.REFUSED

    def fields(self, arrival: int) -> dict[str, Any]:
        """Return the fields of a task's JSON body, without its id."""
        fields = task_fields(self.settings, self._step.duration_ms)
        if self.settings.poison and poisoned(np.array([arrival]), self.settings.poison_every)[0]:
            return {**fields, **poison_fields(self.settings)}
        return fields

    def run(self) -> Outcomes:
        """Let the users send while the bystanders' schedule lasts, and wait for their answers."""
        outcomes = self._session.run(self.start_ns)
        self.open = False
        wait_s = 0 if outcomes.interrupted else self.settings.drain_seconds
        wait_until(lambda: not self._in_flight, wait_s, _POLL_S)  # Locust has made `sleep` gevent's
        rows, errors = merge([(outcomes.rows, outcomes.errors), (self._columns(), self._errors)])
        return replace(outcomes, rows=rows, errors=errors)

    def _columns(self) -> Rows:
        rows = len(self._rows)
        if not rows:
            return empty_rows()
        names = ("due_ns", "sent_ns", "replied_ns", "status", "outcome", "error")
        columns = dict(zip(names, np.array(list(self._rows.values()), np.int64).T, strict=True))
        columns["arrival"] = np.array(list(self._rows))
        columns["stream"] = np.full(rows, Stream.TASKS)
        columns["step"] = np.zeros(rows)
        columns["duration_ms"] = np.full(rows, self._step.duration_ms)
        return {name: columns[name].astype(kind) for name, kind in KINDS.items()}


def use_closed(user: type[FastHttpUser], scenario: Scenario) -> None:
    """Make the locustfile being loaded run this closed-loop scenario."""
    use(user, scenario)

    def begin(environment: Any, **_: Any) -> None:
        def conduct(order: Message, session: LoadSession) -> Outcomes:
            loop = ClosedLoopSession(order, scenario, session)
            if not session.overdue_share(loop.start_ns):
                environment.closed_loop.set(loop)
            return loop.run()

        if not isinstance(environment.runner, MasterRunner):
            environment.closed_loop = AsyncResult()
            prepare = partial(open_session, environment, scenario)
            gevent.spawn(environment.blockpoint.work, prepare, conduct)

    events: Any = locust.events
    events.test_start.add_listener(begin)


class ClosedLoopUser(FastHttpUser):
    """A user that waits for each answer, then for its next turn: `--rate` over `--users` turns a second."""

    abstract = True
    scenario: ClassVar[Scenario]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        use_closed(cls, cls.scenario)

    def __init__(self, environment: Any) -> None:
        options = environment.parsed_options
        self.network_timeout = self.connection_timeout = options.request_timeout
        super().__init__(environment)

    def on_start(self) -> None:
        """Begin at a random moment of the first turn, so that the users do not march in step."""
        self._loop: ClosedLoopSession = self.environment.closed_loop.get()
        begin_s = max(self._loop.start_ns / NS_PER_S, time.monotonic())
        self._turn_s: float = begin_s + random.random() * self._loop.pace_s
        gevent.sleep(self._turn_s - time.monotonic())

    def wait_time(self) -> float:
        """Return the seconds until this user's next turn."""
        now_s = time.monotonic()
        self._turn_s = max(self._turn_s + self._loop.pace_s, now_s)
        return self._turn_s - now_s

    @task
    def submit(self) -> None:
        """Submit one task and wait for the answer."""
        loop = self._loop
        if not loop.open:
            return
        arrival, task_id = loop.begin()
        with self.client.post(
            self.scenario.path, json={"task_id": task_id, **loop.fields(arrival)}, catch_response=True
        ) as response:
            status = int(response.status_code or 0)
            loop.end(arrival, status, "" if status else _cause(response.error))
            if not 200 <= status < 300:
                response.failure(f"status {status}" if status else _cause(response.error))


def _cause(error: BaseException | None) -> str:
    text = repr(error).lower()
    known = ("timed out", "timeout"), ("refused", "connection refused"), ("reset", "connection reset")
    return next((cause for word, cause in known if word in text), "closed before reply")
