"""How long a call holds the GIL, by what a thread beside it that always wants it loses.

The thread beside does nothing but count, on a core of its own: it runs whenever it has the GIL. Linux keeps
account of the time for which it ran, and of that for which it could have run and another program had its core
(`schedstat`). What is missing of the wall time, it waited for the GIL: that is how long the task had it,
hand-overs of some microseconds included. Where another program had the task's own core meanwhile, it is not
counted as holding the GIL for longer than it ran: only what sleeps with the GIL does, and that loses no core.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from results.interpreter import has_gil

SWITCH_S: Final = 0.0005
"""after which a thread that wants the GIL asks for it: a tenth of the usual, so that the task waits less"""
LEAST_CALLS: Final = 3
SETTLE_S: Final = 0.02


class UnmeasurableError(Exception):
    """There is no second core, or the platform keeps no account of a thread."""


@dataclass(frozen=True)
class Account:
    """Of a thread, up to now."""

    at_ns: int
    ran_ns: int
    without_core_ns: int

    @classmethod
    def of(cls, thread: int) -> Self:
        """Read it."""
        try:
            ran, without_core, _ = map(int, Path(f"/proc/self/task/{thread}/schedstat").read_text().split())
        except OSError as error:
            raise UnmeasurableError from error
        return cls(time.monotonic_ns(), ran, without_core)

    def waited_ns(self, since: "Account") -> int:
        """Return for how long it waited for the GIL."""
        had_ns = (self.ran_ns - since.ran_ns) + (self.without_core_ns - since.without_core_ns)
        return max(self.at_ns - since.at_ns - had_ns, 0)

    def could_hold_ns(self, waited_ns: float, since: "Account") -> float:
        """Return how much of another's wait it can have held the GIL, by what it had of its core."""
        ran_ns, without_ns = self.ran_ns - since.ran_ns, self.without_core_ns - since.without_core_ns
        undisturbed = ran_ns / (ran_ns + without_ns) if without_ns else 1.0
        return min(waited_ns, max(ran_ns, waited_ns * undisturbed))


def gil_ms(call: Callable[[int], Any], seconds: float) -> float:
    """Return for how many ms a call holds the GIL, its mean over some seconds; 0 where there is none.

    Raises UnmeasurableError.
    """
    if not has_gil():
        return 0.0
    with _counting() as thread:
        own = threading.get_native_id()
        before, own_before, calls = Account.of(thread), Account.of(own), 0
        until_s = time.monotonic() + seconds
        while calls < LEAST_CALLS or time.monotonic() < until_s:
            call(calls)
            calls += 1
        waited_ns = Account.of(thread).waited_ns(before)
        return Account.of(own).could_hold_ns(waited_ns, own_before) / calls / 1e6


@contextmanager
def _counting() -> Iterator[int]:
    """Count in a thread on the last of our cores, and keep off it ourselves; gives the thread's number."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(cores) < 2:
        raise UnmeasurableError
    *ours, apart = cores
    over, begun, usual_s = threading.Event(), threading.Event(), sys.getswitchinterval()

    def count() -> None:
        os.sched_setaffinity(0, {apart})
        number, is_over = 0, over.is_set
        begun.set()
        while not is_over():
            number += 1

    thread = threading.Thread(target=count, daemon=True)
    sys.setswitchinterval(SWITCH_S)
    os.sched_setaffinity(0, ours)
    thread.start()
    begun.wait()
    time.sleep(SETTLE_S)
    try:
        yield thread.native_id or 0
    finally:
        over.set()
        thread.join()
        os.sched_setaffinity(0, cores)
        sys.setswitchinterval(usual_s)
