"""What a drill does to a running target, and how it is put right again."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from harness.target.ledgers import LedgerReader
from harness.target.lineage import lives, tree
from harness.target.processes import Child
from harness.target.target import Target
from results.errors import BlockpointError
from results.terms import Moment
from results.waiting import wait_until

STOP_LIMIT_S = 30.0
"""after SIGTERM, before a process is killed: what Kubernetes grants by default"""
HANG_S = 6.0
"""longer than the socket time-outs of the variants that have any"""
SUPERVISOR = "targets.supervisor"


@dataclass(frozen=True)
class Injection:
    """What is about to happen to a target."""

    pids: list[int]
    """the processes that it strikes"""
    inject: Callable[[], None]
    """does it: nothing is looked up any more, so that its moment is that of the signal"""
    repair: Callable[[], None] | None
    """puts right what that broke; None where the fault lasts until all is over"""


Fault = Callable[[Target, LedgerReader], Injection]


def kill_web(target: Target, _: LedgerReader) -> Injection:
    """SIGKILL the web process; it is started again at once, as a supervisor would."""
    return _killing(target.web, target.start_web)


def kill_web_worker(target: Target, reader: LedgerReader) -> Injection:
    """SIGKILL the uvicorn worker that accepted the latest task; its parent starts another."""
    events = reader.events()
    accepted = events[events["moment"] == Moment.ACCEPTED]
    pids = [int(each["pid"]) for each in np.sort(accepted, order="at_ns")[-1:]]

    def await_successor() -> None:
        wait_until(lambda: not target.web_pids().intersection(pids), STOP_LIMIT_S)
        target.await_answer()

    return Injection(pids, lambda: _kill(pids), await_successor)


def stop_web(target: Target, _: LedgerReader) -> Injection:
    """SIGTERM the web process, as a deploy does; a new one is started once it has exited."""
    return _stopping(target.web, target.start_web)


def kill_worker(target: Target, _: LedgerReader) -> Injection:
    """SIGKILL the workers with all of their children; they are started again at once."""
    supervised = [pid for child in target.workers if _supervised(child) for pid in tree(child.pid)[1:]]
    rest = _killing([child for child in target.workers if not _supervised(child)], target.start_workers)

    def inject() -> None:
        _kill(supervised)
        rest.inject()

    return Injection([*supervised, *rest.pids], inject, rest.repair)


def kill_one_worker(index: int) -> Fault:
    """Return what does so to one of several workers that differ."""
    return lambda target, _: _killing([target.workers[index]], target.start_workers)


def kill_child(target: Target, reader: LedgerReader) -> Injection:
    """SIGKILL the one child whose task started last: a worker forks another, a pool is broken."""
    running = reader.running()
    if not running:
        raise BlockpointError("no task was running any more when its process was to be killed")
    pids = list(running.values())[-1:]
    noticed = (lambda: None) if target.workers else (lambda: _await_reaped(pids))
    return Injection(pids, lambda: _kill(pids), noticed)


def stop_worker(target: Target, _: LedgerReader) -> Injection:
    """SIGTERM the workers, as a deploy does; new ones are started once they have exited."""
    return _stopping(target.workers, target.start_workers)


def stop_one_worker(index: int) -> Fault:
    """Return what does so to one of several workers that differ."""
    return lambda target, _: _stopping([target.workers[index]], target.start_workers)


def kill_broker(target: Target, _: LedgerReader) -> Injection:
    """SIGKILL the broker with all of its processes; it is started again at once, port and folder the same."""
    return _killing([_broker(target)], target.start_broker)


def hang_broker(target: Target, _: LedgerReader) -> Injection:
    """SIGSTOP the broker with all of its processes, and SIGCONT some seconds later."""
    pids = tree(_broker(target).pid)

    def go_on() -> None:
        time.sleep(HANG_S)
        _kill(pids, signal.SIGCONT)

    return Injection(pids, lambda: _kill(pids, signal.SIGSTOP), go_on)


def start_workers(target: Target, _: LedgerReader) -> Injection:
    """Start the workers, which had been down."""
    return Injection([], target.start_workers, lambda: None)


def add_workers(target: Target, _: LedgerReader) -> Injection:
    """Start a second worker beside each: at its start it takes back what looks abandoned."""
    return Injection([], target.add_workers, None)


def restart_workers(target: Target) -> None:
    """End idle workers by SIGTERM and start them again."""
    _terminate(target.workers)
    _await_exit(target.workers)
    target.start_workers()


def restart_web(target: Target) -> None:
    """End the idle web process by SIGTERM, which lets it drain what it still holds, and start it again."""
    _terminate(target.web)
    _await_exit(target.web)
    target.start_web()


def take_workers_down(target: Target) -> None:
    """End idle workers, so that they can be started later."""
    _kill_all(target.workers)


def _killing(children: Sequence[Child], start: Callable[[], None]) -> Injection:
    pids = [pid for child in children for pid in tree(child.pid)]

    def inject() -> None:
        _kill(pids)
        _kill_all(children)
        wait_until(lambda: not any(map(lives, pids)), STOP_LIMIT_S, every_s=0)

    return Injection(pids, inject, start)


def _stopping(children: Sequence[Child], start: Callable[[], None]) -> Injection:
    def replace() -> None:
        _await_exit(children)
        start()

    return Injection([child.pid for child in children], lambda: _terminate(children), replace)


def _broker(target: Target) -> Child:
    if target.server is None or target.server.child is None:
        raise BlockpointError("only the embedded broker can be killed: leave --redis-url away")
    return target.server.child


def _kill_all(children: Iterable[Child]) -> None:
    for child in children:
        child.kill()


def _terminate(children: Iterable[Child]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()


def _await_exit(children: Iterable[Child]) -> None:
    deadline_s = time.monotonic() + STOP_LIMIT_S
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(deadline_s - time.monotonic(), 0))
        child.kill()


def _supervised(child: Child) -> bool:
    return SUPERVISOR in child.command


def _await_reaped(pids: Iterable[int]) -> None:
    """Wait until the parents of dead processes have noticed."""
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), STOP_LIMIT_S)


def _kill(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
