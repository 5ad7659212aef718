"""What a drill does to a running target, and how it is put right again."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.target.ledgers import LedgerReader
from harness.target.processes import Child
from harness.target.roster import tree
from harness.target.target import Stack
from results.errors import BlockpointError

STOP_LIMIT_S = 30.0
"""after SIGTERM, before a process is killed: what Kubernetes grants by default"""
HANG_S = 6.0
"""longer than the socket time-outs of the variants that have any"""
SUPERVISOR = "targets.supervisor"


@dataclass(frozen=True)
class Blow:
    """What is about to happen to a target."""

    pids: list[int]
    """the processes that it strikes"""
    deal: Callable[[], None]
    """does it: nothing is looked up any more, so that its moment is that of the signal"""
    repair: Callable[[], None] | None
    """puts right what that broke; None where the fault lasts until all is over"""


Strike = Callable[[Stack, LedgerReader], Blow]


def kill_web(stack: Stack, _: LedgerReader) -> Blow:
    """SIGKILL the web process; it is started again at once, as a supervisor would."""
    pids = [pid for child in stack.web for pid in tree(child.pid)]
    return Blow(pids, lambda: _kill_all(stack.web), stack.start_web)


def stop_web(stack: Stack, _: LedgerReader) -> Blow:
    """SIGTERM the web process, as a deploy does; a new one is started once it has exited."""

    def replace() -> None:
        _await_exit(stack.web)
        stack.start_web()

    return Blow([child.pid for child in stack.web], lambda: _terminate(stack.web), replace)


def kill_worker(stack: Stack, _: LedgerReader) -> Blow:
    """SIGKILL the workers with all of their children; they are started again at once."""
    supervised = [pid for child in stack.workers if _supervised(child) for pid in tree(child.pid)[1:]]
    alone = [child for child in stack.workers if not _supervised(child)]
    pids = [*supervised, *(pid for child in alone for pid in tree(child.pid))]

    def deal() -> None:
        _kill(supervised)
        _kill_all(alone)

    return Blow(pids, deal, stack.start_workers)


def kill_child(_: Stack, reader: LedgerReader) -> Blow:
    """SIGKILL the one child of a worker whose task started last; the worker forks another."""
    running = reader.running()
    if not running:
        raise BlockpointError("no task was running any more when its process was to be killed")
    pids = list(running.values())[-1:]
    return Blow(pids, lambda: _kill(pids), lambda: None)


def stop_worker(stack: Stack, _: LedgerReader) -> Blow:
    """SIGTERM the workers, as a deploy does; new ones are started once they have exited."""

    def replace() -> None:
        _await_exit(stack.workers)
        stack.start_workers()

    return Blow([child.pid for child in stack.workers], lambda: _terminate(stack.workers), replace)


def kill_broker(stack: Stack, _: LedgerReader) -> Blow:
    """SIGKILL the broker; it is started again at once, on the same port and folder."""
    broker = _broker(stack)
    return Blow([broker.pid], broker.kill, stack.start_broker)


def hang_broker(stack: Stack, _: LedgerReader) -> Blow:
    """SIGSTOP the broker, and SIGCONT some seconds later."""
    broker = _broker(stack)

    def go_on() -> None:
        time.sleep(HANG_S)
        broker.signal_group(signal.SIGCONT)

    return Blow([broker.pid], lambda: broker.signal_group(signal.SIGSTOP), go_on)


def start_workers(stack: Stack, _: LedgerReader) -> Blow:
    """Start the workers, which had been down."""
    return Blow([], stack.start_workers, lambda: None)


def add_workers(stack: Stack, _: LedgerReader) -> Blow:
    """Start a second worker beside each: at its start it takes back what looks abandoned."""
    return Blow([], stack.add_workers, None)


def restart_workers(stack: Stack) -> None:
    """End idle workers by SIGTERM and start them again."""
    _terminate(stack.workers)
    _await_exit(stack.workers)
    stack.start_workers()


def take_workers_down(stack: Stack) -> None:
    """End idle workers, so that they can be started later."""
    _kill_all(stack.workers)


def _broker(stack: Stack) -> Child:
    if stack.broker is None or stack.broker.child is None:
        raise BlockpointError("only the embedded broker can be killed: leave --redis-url away")
    return stack.broker.child


def _kill_all(children: Iterable[Child]) -> None:
    for child in children:
        child.kill()


def _terminate(children: Iterable[Child]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()


def _await_exit(children: Iterable[Child]) -> None:
    deadline = time.monotonic() + STOP_LIMIT_S
    for child in children:
        while child.running and time.monotonic() < deadline:
            time.sleep(0.01)
        child.kill()


def _supervised(child: Child) -> bool:
    return SUPERVISOR in child.command


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
