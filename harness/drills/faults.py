"""What a drill does to a running target, and how it is put right again."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

from harness.ledgers import LedgerReader
from harness.processes import Child
from harness.stack import Stack
from results.errors import BlockpointError

STOP_LIMIT_S = 30.0
"""after SIGTERM, before a process is killed: what Kubernetes grants by default"""
HANG_S = 6.0
"""longer than the socket time-outs of the variants that have any"""
SUPERVISOR = "targets.supervisor"


@dataclass(frozen=True)
class Struck:
    """Which processes were signalled, and how to put right what that broke."""

    pids: list[int]
    repair: Callable[[], None] | None
    """None where the fault lasts until all is over"""


Strike = Callable[[Stack, LedgerReader], Struck]


def kill_web(stack: Stack, _: LedgerReader) -> Struck:
    """SIGKILL the web process; it is started again at once, as a supervisor would."""
    pids = [pid for child in stack.web for pid in tree(child.pid)]
    for child in stack.web:
        child.kill()
    return Struck(pids, stack.start_web)


def stop_web(stack: Stack, _: LedgerReader) -> Struck:
    """SIGTERM the web process, as a deploy does; a new one is started once it has exited."""

    def replace() -> None:
        _await_exit(stack.web)
        stack.start_web()

    return Struck(_terminate(stack.web), replace)


def kill_worker(stack: Stack, _: LedgerReader) -> Struck:
    """SIGKILL the workers with all of their children; they are started again at once."""
    pids = []
    for child in stack.workers:
        if _supervised(child):
            below = tree(child.pid)[1:]
            _kill(below)
            pids += below
        else:
            pids += tree(child.pid)
            child.kill()
    return Struck(pids, stack.start_workers)


def kill_child(_: Stack, reader: LedgerReader) -> Struck:
    """SIGKILL the one child of a worker whose task started last; the worker forks another."""
    running = reader.running()
    if not running:
        raise BlockpointError("no task was running any more when its process was to be killed")
    pid = list(running.values())[-1]
    _kill([pid])
    return Struck([pid], lambda: None)


def stop_worker(stack: Stack, _: LedgerReader) -> Struck:
    """SIGTERM the workers, as a deploy does; new ones are started once they have exited."""

    def replace() -> None:
        _await_exit(stack.workers)
        stack.start_workers()

    return Struck(_terminate(stack.workers), replace)


def kill_broker(stack: Stack, _: LedgerReader) -> Struck:
    """SIGKILL the broker; it is started again at once, on the same port and folder."""
    broker = _broker(stack)
    broker.kill()
    return Struck([broker.pid], stack.start_broker)


def hang_broker(stack: Stack, _: LedgerReader) -> Struck:
    """SIGSTOP the broker, and SIGCONT some seconds later."""
    broker = _broker(stack)
    broker.signal_group(signal.SIGSTOP)

    def go_on() -> None:
        time.sleep(HANG_S)
        broker.signal_group(signal.SIGCONT)

    return Struck([broker.pid], go_on)


def start_workers(stack: Stack, _: LedgerReader) -> Struck:
    """Start the workers, which had been down."""
    return Struck([], stack.start_workers)


def add_workers(stack: Stack, _: LedgerReader) -> Struck:
    """Start a second worker beside each: at its start it takes back what looks abandoned."""
    stack.add_workers()
    return Struck([], None)


def restart_workers(stack: Stack) -> None:
    """End idle workers by SIGTERM and start them again."""
    _terminate(stack.workers)
    _await_exit(stack.workers)
    stack.start_workers()


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        below = []
    return [pid, *(process.pid for process in below)]


def take_workers_down(stack: Stack) -> None:
    """End idle workers, so that they can be started later."""
    for child in stack.workers:
        child.kill()


def _broker(stack: Stack) -> Child:
    if stack.broker is None or stack.broker.child is None:
        raise BlockpointError("only the embedded broker can be killed: leave --redis-url away")
    return stack.broker.child


def _terminate(children: Iterable[Child]) -> list[int]:
    pids = []
    for child in children:
        pids.append(child.pid)
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()
    return pids


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
