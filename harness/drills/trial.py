"""One drill: load, a fault set off by the ledger, rest, looks at the broker past its window, accounts."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.drills.catalogue import Drill
from harness.drills.fault_log import (
    Course,
    Probe,
    restart,
    state,
    take_down_idle,
    tend,
)
from harness.drills.faults import restart_workers
from harness.drills.record import Record
from harness.target.ledgers import LedgerReader, read_probes
from harness.target.processes import Child
from harness.target.roster import alive_pids
from harness.target.target import Launch, Stack
from harness.trial.generator import arguments, generating, read_load
from results.errors import BlockpointError
from results.schema import Plan, Trial
from results.terms import Look

LEDGER_POLL_S = 0.003
REST_POLL_S = 0.05
DRAIN_S = 60.0
"""longest wait of the generator for its last answers"""
LIMIT_S = 240.0
"""a drill that takes longer than this is given up"""
PROBE_LIMIT_S = 45.0
MARGIN_S = 1.5
"""how long after its window a hidden task may still come by itself"""
MOST_WINDOWS = 4
"""windows that are waited for one after the other: a poisonous task opens a new one each time"""
SLIP_LIMIT_MS = 20.0
"""a timeline resolves no less: a fault costs hundreds of milliseconds, and counts depend on no slip at all"""
ANY_SLIP_MS = 1000.0


@dataclass(frozen=True)
class Drilling:
    """One planned drill about to be run on a running stack."""

    launch: Launch
    stack: Stack
    drill: Drill
    plan: Plan
    default_window_s: float
    alone: bool
    """no other trial runs beside it, so that its latencies count"""
    tick: Callable[[], None] = lambda: None

    def measure(self, staged: Path, attempt: int) -> Trial:
        """Run the drill and write its tables.

        Raises BlockpointError where there is nothing to tell: the load was over before the drill could
        strike, a process did not come up again, or the fates do not add up.
        """
        course = Course(started_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
        self.stack.preflight(self.plan.kind)
        if self.drill.prepare:
            self.drill.prepare(self.stack)
        reader, course.since_ns = self.stack.reader(), time.monotonic_ns()
        slip_ms = SLIP_LIMIT_MS if self.alone else ANY_SLIP_MS
        given = arguments(self.stack, self.plan, staged, DRAIN_S, slip_ms)
        with generating(self.launch, given, staged / "logs") as generator:
            self._strike(generator, reader, course)
            while generator.running:
                self._pause(course)
        load = read_load(staged, generator)
        if not self.drill.strike:
            course.from_ns = load.steps[0].from_ns
        self._await_horizon(reader, course)
        record = Record(
            self.stack,
            self.drill,
            self.plan,
            load,
            course,
            alive_pids(self.stack),
            self.launch.settings.cores,
            self.default_window_s,
            self.alone,
        )
        return record.trial(staged, attempt, reader.events(), read_probes(self.stack.ledger, course.since_ns))

    def clean(self) -> bool:
        """Say whether another trial may begin on this target: it is as it was, and its broker is empty."""
        stack, broker = self.stack, self.stack.broker
        whole = len(stack.workers) == stack.subject.workers and all(
            child.running for child in stack.children()
        )
        return whole and not (broker and broker.depth(stack.subject.queues))

    def _strike(self, generator: Child, reader: LedgerReader, course: Course) -> None:
        strike, trigger = self.drill.strike, self.drill.trigger
        if strike is None:
            return
        first_ns = 0
        while True:
            reader.outstanding()
            running = reader.started - reader.ended
            first_ns = first_ns or (time.monotonic_ns() if reader.started else 0)
            overdue = first_ns and time.monotonic_ns() - first_ns >= trigger.for_s * 1e9
            if (
                reader.accepted >= trigger.accepted
                and reader.ended >= trigger.ended
                and running >= trigger.running
                and (overdue or not trigger.for_s)
            ):
                break
            if not generator.running:
                raise BlockpointError(
                    f"{self.drill.name}: the load was over before the ledger showed {trigger.words()}"
                )
            self.tick()
            time.sleep(LEDGER_POLL_S)
        course.accepted, course.started, course.ended = reader.accepted, reader.started, reader.ended
        blow = strike(self.stack, reader)
        course.struck = blow.pids
        course.from_ns = time.monotonic_ns()
        blow.deal()
        if blow.repair:
            blow.repair()
            course.to_ns = time.monotonic_ns()

    def _pause(self, course: Course) -> None:
        tend(self.stack, self.drill, course)
        if time.monotonic_ns() - course.since_ns > LIMIT_S * 1e9:
            raise BlockpointError(f"{self.drill.name}: not over within {LIMIT_S:.0f} s")
        self.tick()
        time.sleep(REST_POLL_S)

    def _await_horizon(self, reader: LedgerReader, course: Course) -> None:
        """Wait until all is at rest, then past the window of whatever is left."""
        quiet_s = self.plan.duration_ms / 1000 + self.drill.settle_s
        self._rest(reader, course, quiet_s)
        course.at_rest_ns = time.monotonic_ns()
        course.to_ns = course.to_ns or course.at_rest_ns
        course.held[Look.AT_REST] = self._look()
        if course.exited:
            restart(self.stack)
            exited, course.exited = course.exited, []
            self._rest(reader, course, quiet_s)
            course.exited = exited
        for _ in range(MOST_WINDOWS):
            before = state(reader, self.stack.subject.max_attempts)
            if before.settled or not self._kept(before.pending):
                break
            self._rest(reader, course, self.stack.subject.window_s + MARGIN_S + quiet_s)
            after = state(reader, self.stack.subject.max_attempts)
            if after.pending and self._kept(after.pending):
                restart_workers(self.stack)
                course.hastened = True
                self._rest(reader, course, quiet_s + MARGIN_S)
                if state(reader, self.stack.subject.max_attempts).last_ns == after.last_ns:
                    break
        course.horizon_ns = time.monotonic_ns()
        course.held[Look.AT_HORIZON] = self._look()

    def _rest(self, reader: LedgerReader, course: Course, quiet_s: float) -> None:
        """Wait until a last task has run and then every task has ended, or none moved for `quiet_s`.

        The last task shows that the target works again: a worker needs seconds to start. Where it does not
        run within `PROBE_LIMIT_S`, what should run it counts as exited.
        """
        begun_ns = time.monotonic_ns()
        probe, restarts = Probe(self.stack, self.plan.kind), course.restarts
        while True:
            if course.restarts > restarts:
                probe, restarts = Probe(self.stack, self.plan.kind), course.restarts
            now = state(reader, self.stack.subject.max_attempts)
            still_s = (time.monotonic_ns() - max(now.last_ns, begun_ns, probe.ended_ns)) / 1e9
            if (probe.ended() or course.exited) and (now.settled or still_s > quiet_s):
                return
            if not course.exited and time.monotonic_ns() - begun_ns > PROBE_LIMIT_S * 1e9:
                course.exited += take_down_idle(self.stack, answers=probe.accepted)
            self._pause(course)

    def _look(self) -> dict[str, set[int]]:
        broker = self.stack.broker
        return broker.holdings(self.stack.subject.queues) if broker else {}

    def _kept(self, ids: frozenset[int]) -> bool:
        """Say whether any of the tasks is named anywhere in the broker, in whatever key."""
        return bool(self.stack.broker and ids & self.stack.broker.named())
