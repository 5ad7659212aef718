"""One drill: load, a fault set off by the ledger, rest, looks at the broker past its window, accounts."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from harness.drills.catalogue import DRILLS, Drill
from harness.drills.fault_log import FaultLog, Probe, State, restart, state, take_down_idle, tend
from harness.drills.faults import restart_web, restart_workers
from harness.drills.record import Record
from harness.target.ledgers import LedgerReader, read_probes
from harness.target.processes import Child
from harness.target.roster import alive_pids
from harness.target.target import Launch, Target
from harness.trial.generator import arguments, generating, read_load
from results.errors import BlockpointError, lookup
from results.schema import Manifest, Plan, Trial
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
    """One planned drill about to be run on a running target."""

    launch: Launch
    target: Target
    drill: Drill
    plan: Plan
    default_window_s: float
    alone: bool
    """no other trial runs beside it, so that its latencies count"""
    tick: Callable[[], None] = lambda: None
    longer: ClassVar[str] = ""
    """what lets the load last longer, in words"""

    def quiet_s(self, reader: LedgerReader) -> float:  # noqa: ARG002
        """Return the time without any moment after which nothing moves any more."""
        return self.plan.duration_ms / 1000 + self.drill.settle_s

    @property
    def in_process(self) -> bool:
        """Whether tasks wait nowhere but in the web process, so that none runs again."""
        return self.target.broker is None

    @property
    def drains(self) -> bool:
        """Whether a web process that holds tasks and does not run them is told to stop, to drain them."""
        return self.in_process

    def measure(self, staged: Path, attempt: int) -> Trial:
        """Run the drill and write its tables.

        Raises BlockpointError where there is nothing to tell: the load was over before the drill could
        fault, a process did not come up again, or the fates do not add up.
        """
        log = FaultLog(started_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
        self.target.preflight(self.plan.kind)
        if self.drill.prepare:
            self.drill.prepare(self.target)
        reader, log.since_ns = self.target.reader(), time.monotonic_ns()
        slip_ms = SLIP_LIMIT_MS if self.alone else ANY_SLIP_MS
        given = arguments(self.target, self.plan, staged, DRAIN_S, slip_ms)
        with generating(self.launch, self.plan, given, staged / "logs") as (generator,):
            self._inject(staged, generator, reader, log)
            while generator.running:
                self._pause(log)
        load = read_load(staged, generator)
        if not self.drill.fault:
            log.from_ns = load.steps[0].from_ns
        self._await_horizon(reader, log)
        record = Record(
            self.target,
            self.drill,
            self.plan,
            load,
            log,
            alive_pids(self.target),
            self.launch.settings.cores,
            self.default_window_s,
            self.alone,
        )
        return record.trial(staged, attempt, reader.events(), read_probes(self.target.ledger, log.since_ns))

    def clean(self) -> bool:
        """Say whether another trial may begin on this target: it is as it was, and its broker is empty."""
        target, broker = self.target, self.target.broker
        whole = len(target.workers) == target.subject.workers and all(
            child.running for child in target.children()
        )
        return whole and not (broker and broker.depth(target.subject.queues))

    def _inject(self, staged: Path, generator: Child, reader: LedgerReader, log: FaultLog) -> None:
        fault, trigger = self.drill.fault, self.drill.trigger
        if fault is None:
            return
        first_ns = 0
        while True:
            reader.outstanding()
            running = max(reader.started - reader.ended, 0)  # starts are not always seen
            first_ns = first_ns or (time.monotonic_ns() if reader.started else 0)
            overdue = first_ns and time.monotonic_ns() - first_ns >= trigger.for_s * 1e9
            if (
                reader.accepted >= trigger.accepted
                and reader.ended >= trigger.ended
                and running >= trigger.running
                and reader.accepted - reader.ended >= trigger.under_way
                and (overdue or not trigger.for_s)
            ):
                break
            if not generator.running:
                read_load(staged, generator)  # raises where it gave up, and says why
                early = f"{self.drill.name}: the load was over before the ledger showed"
                raise BlockpointError(f"{early} {trigger.words()}{self.longer}")
            self.tick()
            time.sleep(LEDGER_POLL_S)
        log.accepted, log.started, log.ended = reader.accepted, reader.started, reader.ended
        injection = fault(self.target, reader)
        log.struck = injection.pids
        log.from_ns = time.monotonic_ns()
        injection.inject()
        if injection.repair:
            injection.repair()
            log.to_ns = time.monotonic_ns()

    def _pause(self, log: FaultLog) -> None:
        tend(self.target, self.drill, log)
        if time.monotonic_ns() - log.since_ns > LIMIT_S * 1e9:
            raise BlockpointError(f"{self.drill.name}: not over within {LIMIT_S:.0f} s")
        self.tick()
        time.sleep(REST_POLL_S)

    def _await_horizon(self, reader: LedgerReader, log: FaultLog) -> None:
        """Wait until all is at rest, then past the window of whatever is left.

        What a web process holds and does not run, it gets a last chance to drain.
        """
        quiet_s = self.quiet_s(reader)
        self._rest(reader, log, quiet_s)
        log.at_rest_ns = time.monotonic_ns()
        log.to_ns = log.to_ns or log.at_rest_ns
        log.held[Look.AT_REST] = self._look()
        if log.exited:
            restart(self.target)
            exited, log.exited = log.exited, []
            self._rest(reader, log, quiet_s)
            log.exited = exited
        elif self.drains and state(reader).pending:
            restart_web(self.target)
            log.hastened = True
            self._rest(reader, log, quiet_s)
        for _ in range(MOST_WINDOWS):
            if not self._may_come_again(state(reader)):
                break
            self._rest(reader, log, self.target.subject.window_s + MARGIN_S + quiet_s)
            after = state(reader)
            if self._may_come_again(after):
                restart_workers(self.target)
                log.hastened = True
                self._rest(reader, log, quiet_s + MARGIN_S)
                if state(reader).last_ns == after.last_ns:
                    break
        log.horizon_ns = time.monotonic_ns()
        log.held[Look.AT_HORIZON] = self._look()

    def _rest(self, reader: LedgerReader, log: FaultLog, quiet_s: float) -> None:
        """Wait until a last task has run and then none has moved for `quiet_s`, or nothing is left to move.

        Without a broker that is so when every task has ended; with one, some that have may run again. The
        last task shows that the target works again: a worker needs seconds to start. Where none has run
        within `PROBE_LIMIT_S` of the latest restart, what should run it counts as exited.
        """
        begun_ns = time.monotonic_ns()
        probe, restarts = Probe(self.target, self.plan.kind), log.restarts
        while True:
            if log.restarts > restarts:
                probe, restarts = Probe(self.target, self.plan.kind), log.restarts
            now = state(reader)
            still_s = (time.monotonic_ns() - max(now.last_ns, begun_ns, probe.ended_ns)) / 1e9
            over = now.settled and self.in_process
            if (probe.ended() or log.exited) and (over or still_s > quiet_s):
                return
            if not log.exited and probe.overdue(PROBE_LIMIT_S):
                log.exited += take_down_idle(self.target, answers=probe.accepted)
            self._pause(log)

    def _look(self) -> dict[str, set[int]]:
        broker = self.target.broker
        return broker.holdings(self.target.subject.queues) if broker else {}

    def _may_come_again(self, now: State) -> bool:
        """Say whether the broker may give out a task once more.

        It may where it names one that has not ended, in whatever key, has one in a queue that has, or waits
        for an acknowledgement.
        """
        broker = self.target.broker
        return broker is not None and bool(
            now.pending & broker.named()
            or now.known & broker.task_ids(self.target.subject.queues)
            or broker.unseen()
        )


@dataclass(frozen=True)
class DrillProcedure:
    """The procedure of a campaign of drills; what it counts does not depend on who measures beside it."""

    manifest: Manifest
    drills: Mapping[str, Drill] = field(default_factory=lambda: DRILLS)
    overhead_s: ClassVar[float] = 11.0
    """on average: most rest for seconds, some wait for a window of 12 s"""
    repeats_together: ClassVar[int] = 5
    drilling: ClassVar[type[Drilling]] = Drilling

    def launch(self, plan: Plan, plain: Launch) -> Launch:
        """Return how the drill's target is started."""
        return lookup("drill", plan.drill, self.drills).launch(plain)

    def logs_name(self, plan: Plan) -> str:
        """Return a name of the trial's own."""
        return plan.trial_id

    def carry_out(
        self, target: tuple[Launch, Target], plan: Plan, staged: Path, attempt: int, tick: Callable[[], None]
    ) -> tuple[Trial, bool]:
        """Run one drill, and say whether another may follow on its target."""
        own_s = self.manifest.subject(plan.subject).window_s
        alone = self.manifest.jobs == 1
        drilling = self.drilling(*target, lookup("drill", plan.drill, self.drills), plan, own_s, alone, tick)
        return drilling.measure(staged, attempt), drilling.clean()

    def reasons_for_company(self, _: list[str]) -> list[str]:
        """Return nothing."""
        return []
