"""Linux's account of a thread: for how long it ran, and for how long another program had its core."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self


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


def queued_ns() -> int:
    """Return for how long this thread could have run and another had its core; 0 without an account."""
    try:
        return Account.of(threading.get_native_id()).without_core_ns
    except UnmeasurableError:
        return 0
