"""Waiting for something, but not for ever."""

import time
from collections.abc import Callable


def wait_until(so: Callable[[], bool], within_s: float, every_s: float = 0.02) -> bool:
    """Look again and again, at least once, whether it is so; returns whether it was within that time."""
    deadline_s = time.monotonic() + within_s
    while not so():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(every_s)
    return True
