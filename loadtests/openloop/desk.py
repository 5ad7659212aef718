"""Where a run is led from: gives the orders, gathers the reports, writes and judges.

One desk stands in every Locust process and is bound to its environment. The same messages pass whether
Locust runs alone (it then hands them to itself) or as a master with workers; on a worker only the session
happens, everything else in the process that leads.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.runners import MasterRunner, WorkerRunner

from loadtests.openloop import address, options, summary
from loadtests.openloop.identity import identify
from loadtests.openloop.run import Message, Run, check_out, write
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.session import Session
from results.errors import BlockpointError

ORDER, REPORT, INTERRUPT = "blockpoint-order", "blockpoint-report", "blockpoint-interrupt"
_PATIENCE_S = 10.0


class Desk:
    """Leads runs in one Locust environment, one after another."""

    def __init__(self, environment: Any, scenario: Scenario) -> None:
        self.environment = environment
        self.scenario = scenario
        self.order: AsyncResult = AsyncResult()
        """on a worker: the next order"""
        self.session: Session | None = None
        self._run: Run | None = None
        self._reported = Event()
        self._interrupted = False
        self._leads = not isinstance(environment.runner, WorkerRunner)
        runner = environment.runner
        if not isinstance(runner, MasterRunner):
            runner.register_message(ORDER, self._receive_order)
            runner.register_message(INTERRUPT, lambda **_: self._interrupt_session())
        if self._leads:
            runner.register_message(REPORT, self._receive_report)
            environment.events.test_stop.add_listener(lambda **_: self.close())
        environment.events.quitting.add_listener(lambda **_: self._quitting())
        signal.signal(signal.SIGINT, self._signalled)

    @property
    def running(self) -> bool:
        """Whether a run is open here: led, or worked at."""
        return self._run is not None or self.session is not None

    def read_settings(self) -> options.Settings:
        """Read and check the options; raises BlockpointError."""
        settings = options.read(self.scenario.all_options, self.environment.parsed_options)
        self.scenario.stretches(settings)
        return settings

    def open(self) -> int:
        """Begin a run: check options and target, give the orders; returns how many workers there are.

        Raises BlockpointError; no load has been sent then.
        """
        settings = self.read_settings()
        if settings.out:
            check_out(self._folder(settings))
        target = address.parse(self.environment.host)
        identity = identify(target, expect=settings.expect, expect_nonce=settings.expect_nonce)
        runner = self.environment.runner
        distributed = isinstance(runner, MasterRunner)
        names = [client.id for client in runner.clients.ready] if distributed else [None]
        if not names:
            raise BlockpointError("no Locust worker is connected; no load was sent")
        self._reported.clear()
        self._interrupted = False
        self._run = Run(self.scenario, settings, identity, len(names))
        for name, order in zip(names, self._run.orders(distributed=distributed), strict=True):
            runner.send_message(ORDER, order, name)
        return len(names)

    def wait(self, seconds: float) -> bool:
        """Wait for all reports; True once they are there."""
        return bool(self._reported.wait(seconds))

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
        if self._interrupted:
            return
        self._interrupted = True
        if self._leads and self._run is not None:
            self.environment.runner.send_message(INTERRUPT)
        else:
            self._interrupt_session()

    def close(self) -> None:
        """End the run: write, print, judge. Does nothing where none is open."""
        run, self._run = self._run, None
        if run is None:
            return
        load, rows, errors = run.load(interrupted=self._interrupted)
        code = 0 if not load.reasons else 1
        print(summary.text(load, rows), flush=True)
        if run.settings.out:
            try:
                write(self._folder(run.settings), load, rows, errors, run.tag)
            except BlockpointError as error:
                complain(error)
                code = 2
        self.environment.process_exit_code = code

    def deliver(self, report: Message) -> None:
        """Hand a session's report to the leading process."""
        self.session = None
        if not self._leads:
            self.environment.process_exit_code = 0
        self.environment.runner.send_message(REPORT, report)

    def refuse(self, error: BlockpointError) -> None:
        """Say why no load is sent, and make the process end with code 2."""
        complain(error)
        self.environment.process_exit_code = 2

    def _folder(self, settings: options.Settings) -> Path:
        folder = Path(settings.out)
        if self.environment.web_ui is None:
            return folder
        if not hasattr(self, "_stamp") or self._run is None:
            self._stamp = time.strftime("%Y%m%d-%H%M%S")
        return folder / self._stamp

    def _receive_order(self, *, msg: Any, **_: Any) -> None:
        self.order.set(msg.data)

    def _receive_report(self, *, msg: Any, **_: Any) -> None:
        if self._run is not None:
            self._run.reports[msg.data["index"]] = msg.data
            if self._run.complete:
                self._reported.set()

    def _interrupt_session(self) -> None:
        if self.session is not None:
            self.session.interrupt()

    def _signalled(self, number: int, frame: Any) -> None:
        if self.running and not self._interrupted:
            gevent.get_hub().loop.run_callback(gevent.spawn, self.interrupt)
        else:
            signal.default_int_handler(number, frame)

    def _quitting(self) -> None:
        if not self.running:
            return
        self.interrupt()
        if self._leads:
            self._reported.wait(_PATIENCE_S)
            self.close()
        else:
            gevent.sleep(0.2)


def complain(error: BlockpointError) -> None:
    """Print one clear line."""
    print(f"blockpoint: {error}", file=sys.stderr, flush=True)
