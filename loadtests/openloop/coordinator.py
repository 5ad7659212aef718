"""Where a run is led from: gives the orders, gathers the reports, writes and judges.

One coordinator stands in every Locust process and is bound to its environment. The same messages pass whether
Locust runs alone (it then hands them to itself) or as a master with workers; on a worker only the session
happens, everything else in the process that leads.
"""

import contextlib
import math
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.runners import MasterRunner, WorkerRunner

from loadtests.openloop import options, statistics, summary
from loadtests.openloop.address import resolve
from loadtests.openloop.commandline import check_options
from loadtests.openloop.complaints import complain, too_late
from loadtests.openloop.crew import Crew, Hand, Sighting, alone
from loadtests.openloop.gathering import bring_in, mustered, mute
from loadtests.openloop.identity import identify
from loadtests.openloop.live import Progress
from loadtests.openloop.order import check_order
from loadtests.openloop.run import Message, Run, check_out, pack, write
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S
from loadtests.openloop.session import LoadSession, Outcomes
from results.clock import boot_id
from results.errors import BlockpointError

ORDER, REPORT, INTERRUPT = "blockpoint-order", "blockpoint-report", "blockpoint-interrupt"
ACCEPTED, DECLINED = "blockpoint-accepted", "blockpoint-declined"
CALLED_OFF = "blockpoint-called-off"
PATIENCE_S = 10.0


class Coordinator:
    """Leads runs in one Locust environment, one after another."""

    def __init__(self, environment: Any, scenario: Scenario) -> None:
        self.environment = environment
        self.scenario = scenario
        self._order = AsyncResult()
        self.session: LoadSession | None = None
        """what this process is working at"""
        self._run: Run | None = None
        self._closing: gevent.Greenlet | None = None
        self._called_off = -1
        """the tag of the run that the master called off"""
        self._folder: Path | None = None
        self._answered = Event()
        self._reported = Event()
        self._interrupted_s: float | None = None
        self._leads = not isinstance(environment.runner, WorkerRunner)
        runner = environment.runner
        self._crew = Crew(runner) if isinstance(runner, MasterRunner) else None
        self._hand = Hand(runner) if isinstance(runner, WorkerRunner) else None
        if not isinstance(runner, MasterRunner):
            runner.register_message(ORDER, self._receive_order)
            runner.register_message(INTERRUPT, lambda **_: self._interrupt_session())
            runner.register_message(CALLED_OFF, self._receive_called_off)
        if self._leads:
            runner.register_message(REPORT, self._receive_report)
            runner.register_message(ACCEPTED, self._receive_accepted)
            runner.register_message(DECLINED, self._receive_declined)
            environment.events.test_stopping.add_listener(lambda **_: self._stopping())
            environment.events.test_stop.add_listener(lambda **_: self._stopped())
        environment.events.quitting.add_listener(lambda **_: self._quitting())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)

    @property
    def running(self) -> bool:
        """Whether a run is open here: led, or worked at."""
        return self._run is not None or self.session is not None

    @property
    def users(self) -> int:
        """How many users a closed loop has: Locust's own `--users`."""
        return int(self.environment.parsed_options.num_users or 1)

    def read_settings(self) -> options.LoadSettings:
        """Read and check the options; raises BlockpointError."""
        settings = options.read(self.scenario.all_options, self.environment.parsed_options)
        self.scenario.plan(settings)
        return settings

    def open(self) -> int:
        """Begin a run: check options and target, give the orders; returns how many workers carry them out.

        Raises BlockpointError; no load has been sent then, nor where it returns 0 because one declined.
        """
        settings = self.read_settings()
        check_options(self.environment.parsed_options, closed=self.scenario.closed, unset=(None, 1))
        self._folder = self._choose_folder(settings.out)
        target = resolve(self.environment.host)
        identity = identify(target, expect=settings.expect, expect_nonce=settings.expect_nonce)
        self._answered.clear()
        self._reported.clear()
        self._interrupted_s = None
        self._run = Run(self.scenario, settings, identity, self._muster())
        distributed = self._crew is not None
        for worker, given in zip(
            self._run.crew, self._run.orders(self.users, distributed=distributed), strict=True
        ):
            self.environment.runner.send_message(ORDER, given, worker.name)
        if not self._answered.wait(PATIENCE_S):
            self._call_off(mute(self._run.crew[self._run.undecided[0]].name))
        return self._run.workers if self._run is not None else 0

    def _muster(self) -> list[Sighting]:
        """Return who is there to generate, their clocks compared; raises BlockpointError."""
        if self._crew is None:
            return [alone()]
        names = self._crew.ready()
        try:
            return mustered(self._crew, names)
        except BlockpointError:
            self._send_call_off(names)
            raise

    def progress(self) -> Progress | None:
        """Return how far this process is with its share; None where it works at none."""
        return self.session.progress() if self.session is not None else None

    def wait(self, seconds: float) -> bool:
        """Wait for all reports; True once they are there, or will not come."""
        ended = bool(self._reported.wait(seconds))
        self._keep_rates()
        return ended or self._only_lost_ones_are_missing()

    def _only_lost_ones_are_missing(self) -> bool:
        run, crew = self._run, self._crew
        if run is None or crew is None or self._interrupted_s is None:
            return False
        return all(crew.gone(run.crew[index].name) for index in run.silent)

    def longest_s(self) -> float:
        """How long the run may take: a worker that never reports cannot hold it up for ever."""
        return self._run.longest_s if self._run is not None else math.inf

    def overdue(self) -> bool:
        """Whether the run was interrupted so long ago that what is missing will not come."""
        return self._interrupted_s is not None and time.monotonic() - self._interrupted_s > PATIENCE_S

    def lost_worker(self) -> bool:
        """Whether a worker that was given an order has gone."""
        run, crew = self._run, self._crew
        return run is not None and crew is not None and any(crew.gone(each.name) for each in run.crew)

    def interrupt(self) -> None:
        """End the run now, keeping what was measured; does not wait."""
        if self._interrupted_s is not None:
            return
        self._interrupted_s = time.monotonic()
        if self._leads and self._run is not None:
            self.environment.runner.send_message(INTERRUPT)
        else:
            self._interrupt_session()

    def close(self) -> None:
        """End the run: fetch, write, print, judge; where another has begun that, wait for it.

        In a greenlet of its own: Locust may kill the one that asked.
        """
        run, self._run = self._run, None
        if run is not None:
            self._closing = gevent.spawn(self._conclude, run)
        if self._closing is not None:
            self._closing.join()

    def _conclude(self, run: Run) -> None:
        if self._crew is not None:
            bring_in(self._crew, run)
        for name in run.lost:
            complain(BlockpointError(f"worker {name} has not reported what it sent"))
        load, rows, errors = run.load(interrupted=self._interrupted_s is not None)
        if load.steps:
            statistics.count_between(self.environment.stats, load.steps[0].from_ns, load.steps[-1].to_ns)
        code = 0 if not load.reasons else 1
        if self._folder is not None:
            try:
                write(self._folder, load, rows, errors, run.tag)
            except BlockpointError as error:
                complain(error)
                code = 2
        with contextlib.suppress(OSError):
            print(summary.text(load, rows), flush=True)
        self.environment.process_exit_code = code

    def work(
        self, prepare: Callable[[Message], LoadSession], carry_out: Callable[[Message, LoadSession], Outcomes]
    ) -> None:
        """Wait for an order, carry it out and report; returns at once from one that cannot be."""
        given: Message | None = self._order.get()
        self._order = AsyncResult()
        if given is None:
            return
        try:
            session = prepare(given)
        except BlockpointError as error:
            self._decline(error)
            return
        if given["tag"] != self._called_off:
            self.session = session
            self._deliver(given, carry_out(given, session))

    def _deliver(self, given: Message, outcomes: Outcomes) -> None:
        """Hand what a session measured to the leading process, unless that has called the run off."""
        if self._hand is not None:
            statistics.report_now(self.environment.runner)
        called_off, self.session = self.session is None, None
        self._interrupted_s = self._interrupted_s if self._leads else None
        if called_off:
            return
        report = pack(outcomes, given["index"])
        if self._hand is not None:
            self._hand.keep(given["tag"], outcomes.rows)
            self.environment.process_exit_code = 0
            if report["overdue_share"]:
                self.refuse(too_late(report["overdue_share"]))
        elif self._run is not None:
            self._run.rows[given["index"]] = outcomes.rows
        self.environment.runner.send_message(REPORT, report)

    def _decline(self, error: BlockpointError) -> None:
        """Say, here and where the run is led, why this process sends nothing."""
        if not self._leads:
            self.refuse(BlockpointError(f"order declined: {error}"))
        self.environment.runner.send_message(DECLINED, str(error))

    def refuse(self, error: BlockpointError) -> None:
        """Say why no load is sent, and make the process end with code 2."""
        complain(error)
        self.environment.process_exit_code = 2

    def _choose_folder(self, out: str) -> Path | None:
        """Return where to write, if anywhere; a web UI runs many times, each gets a folder of its own."""
        if not out:
            return None
        folder = Path(out)
        if self.environment.web_ui is not None:
            folder /= time.strftime("%Y%m%d-%H%M%S")
        check_out(folder)
        return folder

    def _receive_order(self, *, msg: Any, **_: Any) -> None:
        if self._order.ready():
            self._order = AsyncResult()
        try:
            check_order(msg.data, self.scenario.name, boot_id=boot_id(), now_ns=time.monotonic_ns())
        except BlockpointError as error:
            self._order.set(None)
            self._decline(error)
        else:
            self._order.set(msg.data)
            self.environment.runner.send_message(ACCEPTED, msg.data["index"])

    def _receive_accepted(self, *, msg: Any, **_: Any) -> None:
        if self._run is not None:
            self._run.accepted.add(msg.data)
            if not self._run.undecided:
                self._answered.set()

    def _receive_report(self, *, msg: Any, **_: Any) -> None:
        if self._run is None:
            return
        self._run.reports[msg.data["index"]] = msg.data
        if msg.data["overdue_share"]:
            complain(too_late(msg.data["overdue_share"], self._run.crew[msg.data["index"]].name))
        if self._run.complete:
            self._reported.set()
        elif msg.data["interrupted"]:
            self.interrupt()

    def _receive_declined(self, *, msg: Any, **_: Any) -> None:
        who = f"worker {msg.node_id} declined: " if self._crew is not None else ""
        self._call_off(f"{who}{msg.data}", but=msg.node_id)

    def _call_off(self, why: str, but: str = "") -> None:
        """End the run without a result; all workers hear of it `but` the one that knows."""
        run, self._run = self._run, None
        if run is None:
            return
        self.refuse(BlockpointError(why))
        self._answered.set()
        self._reported.set()
        self._send_call_off([each.name for each in run.crew if each.name not in ("", but)], run.tag)

    def _send_call_off(self, names: Iterable[str], tag: int = -1) -> None:
        for name in names:
            self.environment.runner.send_message(CALLED_OFF, tag, name)

    def _receive_called_off(self, *, msg: Any, **_: Any) -> None:
        self._called_off = msg.data
        self.refuse(BlockpointError("the master called the run off, since another worker cannot take part"))
        session, self.session = self.session, None
        if session is not None:
            session.interrupt()

    def _keep_rates(self) -> None:
        """Let Locust show, while the run lasts, requests per second of the schedule."""
        run = self._run
        start_ns = run.start_ns if run is not None else 0
        if self.session is not None:
            start_ns = start_ns or self.session.start_ns
        if run is not None and start_ns:
            end_ns = start_ns + round(run.settings.seconds * NS_PER_S)
            statistics.count_between(self.environment.stats, start_ns, min(end_ns, time.monotonic_ns()))

    def _stopping(self) -> None:
        if self.running:
            self.interrupt()

    def _stopped(self) -> None:
        if self._run is not None:
            self._reported.wait(PATIENCE_S)
        self.close()

    def _interrupt_session(self) -> None:
        if self.session is not None:
            self.session.interrupt()

    def _signalled(self, number: int, _frame: Any) -> None:
        if self.running and self._interrupted_s is None:
            gevent.get_hub().loop.run_callback(gevent.spawn, self.interrupt)
        elif number == signal.SIGINT:
            # not raised here: the event loop would print a traceback first
            hub = gevent.get_hub()
            hub.loop.run_callback(hub.handle_system_error, KeyboardInterrupt, KeyboardInterrupt())
        else:
            sys.exit(128 + number)

    def _quitting(self) -> None:
        if self.running:
            self.interrupt()
        if self._leads:
            self._stopped()
        elif self._hand is not None:
            self._hand.await_fetch(PATIENCE_S)
