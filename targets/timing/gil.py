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
from typing import Any, Final

from results.interpreter import has_gil
from targets.timing.account import Account, UnmeasurableError

SWITCH_S: Final = 0.0005
"""after which a thread that wants the GIL asks for it: a tenth of the usual, so that the task waits less"""
LEAST_CALLS: Final = 3
SETTLE_S: Final = 0.02


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
