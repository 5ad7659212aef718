"""Where a run is led from: gives the orders, gathers the reports, writes and judges.

One desk stands in every Locust process and is bound to its environment. The same messages pass whether
Locust runs alone (it then hands them to itself) or as a master with workers; on a worker only the session
happens, everything else in the process that leads.
"""

import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.runners import MasterRunner, WorkerRunner

from loadtests.openloop import address, options, statistics, summary
from loadtests.openloop.identity import identify
from loadtests.openloop.run import Message, Run, check_out, write
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.session import Session
from results.errors import BlockpointError

ORDER, REPORT, INTERRUPT = "blockpoint-order", "blockpoint-report", "blockpoint-interrupt"
PATIENCE_S = 10.0


class Desk:
    """Leads runs in one Locust environment, one after another."""

    def __init__(self, environment: Any, scenario: Scenario) -> None:
        self.environment = environment
        self.scenario = scenario
        self._order = AsyncResult()
        self.session: Session | None = None
        """what this process is working at"""
        self._run: Run | None = None
        self._folder: Path | None = None
        self._reported = Event()
        self._interrupted_s: float | None = None
        self._leads = not isinstance(environment.runner, WorkerRunner)
        runner = environment.runner
        if not isinstance(runner, MasterRunner):
            runner.register_message(ORDER, self._receive_order)
            runner.register_message(INTERRUPT, lambda **_: self._interrupt_session())
        if self._leads:
            runner.register_message(REPORT, self._receive_report)
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

    def read_settings(self) -> options.Settings:
        """Read and check the options; raises BlockpointError."""
        settings = options.read(self.scenario.all_options, self.environment.parsed_options)
        self.scenario.plan(settings)
        return settings

    def open(self) -> int:
        """Begin a run: check options and target, give the orders; returns how many workers there are.

        Raises BlockpointError; no load has been sent then.
        """
        settings = self.read_settings()
        self._folder = self._choose_folder(settings.out)
        target = address.parse(self.environment.host)
        identity = identify(target, expect=settings.expect, expect_nonce=settings.expect_nonce)
        runner = self.environment.runner
        distributed = isinstance(runner, MasterRunner)
        names = [client.id for client in runner.clients.ready] if distributed else [None]
        if not names:
            raise BlockpointError("no Locust worker is connected; no load was sent")
        self._reported.clear()
        self._interrupted_s = None
        self._run = Run(self.scenario, settings, identity, len(names))
        for name, order in zip(names, self._run.orders(self.users, distributed=distributed), strict=True):
            runner.send_message(ORDER, order, name)
        return len(names)

    def wait(self, seconds: float) -> bool:
        """Wait for all reports; True once they are there."""
        return bool(self._reported.wait(seconds))

    def overdue(self) -> bool:
        """Whether the run was interrupted so long ago that what is missing will not come."""
        return self._interrupted_s is not None and time.monotonic() - self._interrupted_s > PATIENCE_S

    def lost_worker(self) -> bool:
        """Whether a worker that was given an order has gone."""
        runner = self.environment.runner
        return (
            self._run is not None
            and isinstance(runner, MasterRunner)
            and runner.worker_count < self._run.workers
        )

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
        """End the run: write, print, judge. Does nothing where none is open."""
        run, self._run = self._run, None
        if run is None:
            return
        if self.environment.parsed_options.csv_prefix:
            statistics.let_csv_catch_up()
        load, rows, errors = run.load(interrupted=self._interrupted_s is not None)
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

    def take_order(self) -> Message:
        """Wait for an order to this process and return it."""
        order: Message = self._order.get()
        self._order = AsyncResult()
        return order

    def deliver(self, report: Message) -> None:
        """Hand a session's report to the leading process."""
        self.session = None
        self._interrupted_s = self._interrupted_s if self._leads else None
        if not self._leads:
            statistics.report_now(self.environment.runner)
            self.environment.process_exit_code = 0
        self.environment.runner.send_message(REPORT, report)

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
        self._order.set(msg.data)

    def _receive_report(self, *, msg: Any, **_: Any) -> None:
        if self._run is not None:
            self._run.reports[msg.data["index"]] = msg.data
            if self._run.complete:
                self._reported.set()

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
        if not self.running:
            return
        self.interrupt()
        if self._leads:
            self._stopped()
        else:
            gevent.sleep(0.2)


def complain(error: BlockpointError) -> None:
    """Print one clear line."""
    print(f"blockpoint: {error}", file=sys.stderr, flush=True)
