"""Which cores each role runs on, and who gives way to whom there."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

TOPOLOGIES = {
    "one-box": "web, workers and broker share the same cores, the generator has its own",
    "split": "the workers have cores of their own beside the web's",
}
ROLES = ("web", "worker", "broker", "generator")
GIVING_WAY_NICE = 19
"""where the platform has no SCHED_IDLE"""


@dataclass(frozen=True)
class Pinning:
    """Cores of each role; an empty tuple leaves a role where it is."""

    web: tuple[int, ...] = ()
    worker: tuple[int, ...] = ()
    broker: tuple[int, ...] = ()
    generator: tuple[int, ...] = ()
    workers_give_way: bool = False
    """they share the generator's core and run only when it does not"""
    note: str = ""

    def cores(self, role: str) -> tuple[int, ...]:
        """Return a role's cores; the sink sits with the broker, harness and sampler with the generator."""
        placed = {"web": self.web, "worker": self.worker, "broker": self.broker, "sink": self.broker}
        return placed.get(role, self.generator)

    @property
    def used(self) -> tuple[int, ...]:
        """The cores of all roles; none where nothing can be pinned."""
        return tuple(sorted({core for role in ROLES for core in self.cores(role)}))

    def apply(self, pid: int, role: str) -> None:
        """Pin a process that was started just now; what it forks and spawns inherits that."""
        try:
            if self.cores(role):
                os.sched_setaffinity(pid, self.cores(role))
            if role == "sampler" or (role == "worker" and self.workers_give_way):
                give_way(pid)
        except ProcessLookupError:
            pass  # it exited already; whoever waits for it will say so

    def describe(self) -> dict[str, Any]:
        """Return the pinning for the manifest."""
        roles = {role: list(self.cores(role)) for role in ROLES}
        return {**roles, "workers_give_way": self.workers_give_way, "note": self.note}

    @staticmethod
    def described(pinning: Mapping[str, Any]) -> "Pinning":
        """Return the pinning that a manifest describes; raises msgspec.ValidationError."""
        return msgspec.convert(pinning, Pinning)


def give_way(pid: int) -> None:
    """Let a process run only when nothing else wants its core.

    A niceness would not do: Linux's scheduler lets a nice process finish its slice of some milliseconds
    before one that wakes beside it, whereas SCHED_IDLE gives way at once.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.setpriority(os.PRIO_PROCESS, pid, GIVING_WAY_NICE)


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

    `split` on two cores puts the workers on the generator's core, where they give way to it.
    """
    if len(cores) < 2:
        reason = "this platform cannot pin processes" if not cores else "there is only one core"
        return Pinning(note=f"not pinned: {reason}; generator and target disturb each other")
    *target, last = cores
    if topology == "one-box":
        return Pinning(tuple(target), tuple(target), tuple(target), (last,))
    first, *middle = target
    if not middle:
        note = "two cores: the workers share the generator's core and give way to it"
        return Pinning((first,), (last,), (first,), (last,), workers_give_way=True, note=note)
    return Pinning((first,), tuple(middle), (first,), (last,))
