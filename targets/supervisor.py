"""Keeps a worker running; `python -m targets.supervisor celery -A ...` supervises `python -m celery -A ...`.

The worker gets a process group of its own. When it exits by itself, whatever is left of the group is killed
and it is started again; SIGTERM, SIGINT and SIGQUIT are passed on and end the supervision.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from results.waiting import wait_until

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
STEADY_S = 10.0
"""a worker that has lived for so long starts the pauses anew"""
LOOK_S = 0.05
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent, of that id, is gone; does nothing but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class Supervisor:
    """Runs one command, again and again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._child: subprocess.Popen[bytes] | None = None
        self._told: int | None = None

    def run(self) -> int:
        """Return the worker's exit code once the supervisor was told to end; 128 + n for signal n."""
        for number in PASSED_ON:
            signal.signal(number, self._pass_on)
        pause_s = FIRST_PAUSE_S
        while True:
            started_s = time.monotonic()
            code = self._run_once()
            if self._told is not None:
                return 128 - code if code < 0 else code
            if time.monotonic() - started_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            print(
                f"supervisor: the worker exited ({code}), again in {pause_s:.1f} s",
                file=sys.stderr,
                flush=True,
            )
            if self._pause(pause_s):
                return 0
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _run_once(self) -> int:
        parent = os.getpid()
        child = self._child = subprocess.Popen(
            self._command,
            start_new_session=True,
            preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 -- this process has no other thread
        )
        if self._told is not None:
            child.send_signal(self._told)
        code = child.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        return code

    def _pause(self, pause_s: float) -> bool:
        """Wait, and say whether the supervisor was told to end meanwhile."""
        return wait_until(lambda: self._told is not None, pause_s, LOOK_S)

    def _pass_on(self, number: int, _frame: object) -> None:
        self._told = number
        if self._child is not None:
            self._child.send_signal(number)


def main(arguments: Sequence[str]) -> int:
    """Supervise `python -m` with these arguments."""
    if not arguments:
        print("usage: python -m targets.supervisor MODULE [ARGUMENT ...]", file=sys.stderr)
        return 2
    return Supervisor([sys.executable, "-m", *arguments]).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
