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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from harness.target.cores import Pinning
from harness.target.kin import MARKER, Kin
from results.errors import BlockpointError
from results.inheritance import inherited
from results.waiting import wait_until

TERM_GRACE_S = 5.0
LOG_TAIL_LINES = 8
COMPLAINT = "blockpoint: "
"""how the one clear line begins that a generator or target says why it gives up; statistics may follow it"""
RENEWED = "warning: the process that cleans up after us was gone; another one was started"
_USELESS = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD, psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


@dataclass
class Child:
    """A process that we started, in a process group of its own."""

    role: str
    process: "subprocess.Popen[bytes]"
    log: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    pinning: Pinning
    user: int | None = None
    """whose it is, where it is not ours"""
    cwd: Path | None = None
    """where it works; None: in the family's folder"""

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

    A guardian process holds the reading end of a pipe from us: when we are gone, however we went, it kills
    every process of this family and removes the folder.
    """

    def __init__(self) -> None:
        self.marker = secrets.token_hex(16)
        self.folder = Path(tempfile.mkdtemp(prefix="blockpoint-"))
        self._kin = Kin(self.marker)
        self._children: list[Child] = []
        self._spawning = threading.Lock()
        self._guardian = self._guarded()
        self.held = contextlib.ExitStack()
        """locks and the like, which are let go when all processes are gone"""
        self.closed = False
        """everything is being taken down, or gone"""

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process of ours that has these settings."""
        return {**inherited(), **settings, "TMPDIR": str(self.folder), MARKER: self.marker}

    def spawn(
        self,
        role: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        pinning: Pinning,
        *,
        user: int | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start a process on its role's cores, its output going to `log`; as another user where one is named.

        Unless `cwd` names another folder, it works in the family's, where no file stands that a library might
        take for its settings, and it knows nothing of our own environment but what `inherited` lets through.
        Raises BlockpointError once the family is being closed.
        """
        with self._spawning:
            if self.closed:
                raise BlockpointError(f"no {role} process is started: everything is being taken down")
            self._renew_guardian()
            with log.open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self.environment(environment),
                    cwd=cwd or self.folder,
                    start_new_session=True,
                    user=user,
                    group=user,
                    extra_groups=None if user is None else (),
                )
            child = Child(role, process, log, command, environment, pinning, user, cwd)
            self._children.append(child)
            self._kin.add(child.pid)
            self._tell(f"+{child.pid}")
        pinning.apply(process.pid, role)
        return child

    def again(self, child: Child) -> Child:
        """Start once more what `child` was, which must have ended; returns its successor."""
        self.forget(child)
        return self.spawn(
            child.role,
            child.command,
            child.log,
            child.environment,
            child.pinning,
            user=child.user,
            cwd=child.cwd,
        )

    def stop(self, child: Child, grace_s: float = TERM_GRACE_S) -> None:
        """End one child and forget it."""
        child.stop(grace_s)
        self.forget(child)

    def end(self, children: Sequence[Child], grace_s: float) -> list[Child]:
        """End children together: SIGTERM, and SIGKILL after `grace_s`; returns those that it took that for.

        Without any grace all are killed at once, and none of them is returned.
        """
        if grace_s > 0:
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    child.process.terminate()
            wait_until(lambda: not any(child.running for child in children), grace_s)
        late = [child for child in children if grace_s > 0 and child.running]
        for child in children:
            self.stop(child, 0.0)
        return late

    def forget(self, child: Child) -> None:
        """No longer end this child, which has ended."""
        with self._spawning:
            if child in self._children:
                self._children.remove(child)
                self._kin.drop(child.pid)
                self._tell(f"-{child.pid}")

    def close(self) -> None:
        """End every child, latest first, then whatever else belongs to us, and the folder."""
        with self._spawning:
            self.closed = True
            children, self._children = self._children, []
        self._kin.living()
        for child in reversed(children):
            child.stop()
        self._kin.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._dismiss_guardian()

    def _guarded(self) -> "subprocess.Popen[bytes]":
        """Start a guardian that knows of every child."""
        guardian = subprocess.Popen(
            [sys.executable, "-m", "harness.target.guardian", self.marker, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            env=inherited(),
            cwd=self.folder,
            start_new_session=True,
        )
        os.set_blocking(_pipe_to(guardian).fileno(), False)
        return guardian

    def _renew_guardian(self) -> None:
        """Start another guardian where the first is gone, or stands still."""
        with contextlib.suppress(psutil.Error):
            if psutil.Process(self._guardian.pid).status() not in _USELESS:
                return
        self._dismiss_guardian()
        self._guardian = self._guarded()
        for child in self._children:
            self._tell(f"+{child.pid}")
        with contextlib.suppress(OSError):
            print(RENEWED, file=sys.stderr, flush=True)

    def _dismiss_guardian(self) -> None:
        self._guardian.kill()
        self._guardian.wait()
        _pipe_to(self._guardian).close()
        self.held.close()

    def _tell(self, note: str) -> None:
        """Tell the guardian; one that does not listen is noticed when the next child is started."""
        with contextlib.suppress(OSError, ValueError):
            _pipe_to(self._guardian).write(f"{note}\n".encode())


def _pipe_to(guardian: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert guardian.stdin is not None
    return guardian.stdin


@contextlib.contextmanager
def family() -> Iterator[Family]:
    """Give a family whose processes are all gone when the block is left."""
    members = Family()
    try:
        yield members
    finally:
        members.close()


def died(what: str, child: Child) -> BlockpointError:
    """Return the error for a process that exited by itself, with its last lines."""
    return BlockpointError(
        f"{what} exited at once with code {child.process.poll()}; it said last:\n"
        f"{child.log_tail() or '    (nothing)'}"
    )
