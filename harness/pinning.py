"""Which cores each role runs on, and how nicely."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

TOPOLOGIES = {
    "one-box": "web, workers and broker share the same cores, the generator has its own",
    "split": "the workers have cores of their own beside the web's",
}
SHARING_NICE = 10
"""niceness of workers that must share the generator's core"""
SAMPLER_NICE = 19


@dataclass(frozen=True)
class Pinning:
    """Cores and niceness of each role; an empty tuple leaves a role where it is."""

    web: tuple[int, ...] = ()
    worker: tuple[int, ...] = ()
    broker: tuple[int, ...] = ()
    generator: tuple[int, ...] = ()
    worker_nice: int = 0
    note: str = ""

    def cores(self, role: str) -> tuple[int, ...]:
        """Return a role's cores; the harness and its sampler sit with the generator."""
        return {"web": self.web, "worker": self.worker, "broker": self.broker}.get(role, self.generator)

    def apply(self, pid: int, role: str) -> None:
        """Pin a process that was started just now; what it forks and spawns inherits that."""
        nice = {"worker": self.worker_nice, "sampler": SAMPLER_NICE}.get(role, 0)
        try:
            if self.cores(role):
                os.sched_setaffinity(pid, self.cores(role))
            if nice:
                os.setpriority(os.PRIO_PROCESS, pid, nice)
        except ProcessLookupError:
            pass  # it exited already; whoever waits for it will say so

    def describe(self) -> dict[str, Any]:
        """Return the pinning for the manifest."""
        roles = {role: list(self.cores(role)) for role in ("web", "worker", "broker", "generator")}
        return {**roles, "worker_nice": self.worker_nice, "note": self.note}


@cache
def available_cores() -> tuple[int, ...]:
    """Return the cores this process might use when it was first asked; none where nothing can be pinned.

    The harness then moves itself to the generator's core, which must not look like a one-core machine.
    """
    if sys.platform != "linux":
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def choose(topology: str, cores: Sequence[int]) -> Pinning:
    """Place the roles on `cores`; the generator always gets the last one.

    `split` on two cores puts the workers on the generator's core, at nice 10.
    """
    if len(cores) < 2:
        reason = "this platform cannot pin processes" if not cores else "there is only one core"
        return Pinning(note=f"not pinned: {reason}; generator and target disturb each other")
    *target, last = cores
    if topology == "one-box":
        return Pinning(tuple(target), tuple(target), tuple(target), (last,))
    first, *middle = target
    if not middle:
        note = f"two cores: the workers share the generator's core at nice {SHARING_NICE}"
        return Pinning((first,), (last,), (first,), (last,), SHARING_NICE, note)
    return Pinning((first,), tuple(middle), (first,), (last,))
