"""Child processes in groups of their own, all marked so that none can be left behind."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.pinning import Pinning
from results.errors import BlockpointError

MARKER = "BLOCKPOINT_FAMILY"
TERM_GRACE_S = 5.0
LOG_TAIL_LINES = 8
COMPLAINT = "blockpoint: "
"""how the one clear line begins that a generator or target says why it gives up; statistics may follow it"""


@dataclass
class Child:
    """A process that we started, in a process group of its own."""

    role: str
    process: "subprocess.Popen[bytes]"
    log: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    pinning: Pinning

    @property
    def pid(self) -> int:
        """The process's id, which is its group's too."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not exited."""
        return self.process.poll() is None

    def log_tail(self) -> str:
        """Return the last lines that it printed, after what it complained of before them."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        before, last = lines[:-LOG_TAIL_LINES], lines[-LOG_TAIL_LINES:]
        complaints = [line for line in before if line.startswith(COMPLAINT)]
        return "\n".join(f"    {line}" for line in (*complaints[-LOG_TAIL_LINES:], *last))

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; no error where it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL the group and wait for its leader."""
        self.signal_group(signal.SIGKILL)
        self.process.wait()

    def stop(self, grace_s: float = TERM_GRACE_S) -> None:
        """End the group: SIGTERM to its leader, then SIGKILL to what is left of it after `grace_s`."""
        if self.running and grace_s > 0:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        self.kill()


class Family:
    """All processes and the temporary folder of one command.

    A guardian process holds the reading end of a pipe from us: when we are gone, however we went, it
    kills every process that carries this family's marker in its environment and removes the folder.
    """

    def __init__(self) -> None:
        self.marker = secrets.token_hex(16)
        self.folder = Path(tempfile.mkdtemp(prefix="blockpoint-"))
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "harness.guardian", self.marker, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._children: list[Child] = []
        self._spawning = threading.Lock()
        self.held = contextlib.ExitStack()
        """locks and the like, which are let go when all processes are gone"""
        self.closed = False
        """everything is being taken down, or gone"""

    def spawn(
        self,
        role: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        pinning: Pinning,
    ) -> Child:
        """Start a process on its role's cores, its output going to `log`.

        Raises BlockpointError once the family is being closed.
        """
        ours = {MARKER: self.marker, "TMPDIR": str(self.folder), "PYTHONUNBUFFERED": "1"}
        environ = {**os.environ, **environment, **ours}
        with self._spawning:
            if self.closed:
                raise BlockpointError(f"no {role} process is started: everything is being taken down")
            with log.open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environ,
                    start_new_session=True,
                )
            child = Child(role, process, log, command, environment, pinning)
            self._children.append(child)
        pinning.apply(process.pid, role)
        return child

    def again(self, child: Child) -> Child:
        """Start once more what `child` was, which must have ended; returns its successor."""
        self.forget(child)
        return self.spawn(child.role, child.command, child.log, child.environment, child.pinning)

    def stop(self, child: Child, grace_s: float = TERM_GRACE_S) -> None:
        """End one child and forget it."""
        child.stop(grace_s)
        self.forget(child)

    def forget(self, child: Child) -> None:
        """No longer end this child, which has ended."""
        if child in self._children:
            self._children.remove(child)

    def close(self) -> None:
        """End every child, latest first, then whatever else carries the marker, and the folder."""
        with self._spawning:
            self.closed = True
        while self._children:
            self._children.pop().stop()
        kill_marked(self.marker)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._guardian.stdin:
            self._guardian.stdin.close()
        self._guardian.wait()
        self.held.close()


@contextlib.contextmanager
def family() -> Iterator[Family]:
    """Give a family whose processes are all gone when the block is left."""
    members = Family()
    try:
        yield members
    finally:
        members.close()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit (128 + number), so that everything is cleaned up."""

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def marked(marker: str) -> list[psutil.Process]:
    """Return the living processes that carry a family's marker."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def kill_marked(marker: str, within_s: float = 5.0) -> None:
    """SIGKILL every process of a family until none is left."""
    deadline = time.monotonic() + within_s
    while (left := marked(marker)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.5)


def died(what: str, child: Child) -> BlockpointError:
    """Return the error for a process that exited by itself, with its last lines."""
    return BlockpointError(
        f"{what} exited at once with code {child.process.poll()}; it said last:\n"
        f"{child.log_tail() or '    (nothing)'}"
    )
