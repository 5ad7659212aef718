"""Which cores each role runs on, and who gives way to whom there."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import msgspec

from results.roles import ROLES

TOPOLOGIES = {
    "one-box": "web, workers and broker share the same cores, the generator has its own",
    "split": "the workers have cores of their own beside the web's",
}
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

    def of_generator(self, index: int) -> "Pinning":
        """Return where one of several generators runs: on a core of its own, as far as they go."""
        cores = self.generator
        return replace(self, generator=(cores[index % len(cores)],)) if cores else self

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


def unpin() -> None:
    """Let this process use every core again: a report has no generator to make room for."""
    if available_cores():
        os.sched_setaffinity(0, available_cores())


def choose(topology: str, cores: Sequence[int], generators: int = 1) -> Pinning:
    """Place the roles on `cores`; the generator always gets the last one, several of them a core each.

    `split` on two cores puts the workers on the generator's core, where they give way to it. Some cores are
    left to the target: where there are too few, generators share theirs.
    """
    if len(cores) < 2:
        reason = "this platform cannot pin processes" if not cores else "there is only one core"
        return Pinning(note=f"not pinned: {reason}; generator and target disturb each other")
    own = min(generators, len(cores) - 1)
    target, last = tuple(cores[:-own]), tuple(cores[-own:])
    shared = f"{generators} generators share {own} core{'s' * (own > 1)}" if generators > own else ""
    if topology == "one-box":
        return Pinning(target, target, target, last, note=shared)
    first, middle = target[:1], target[1:]
    if not middle:
        few = "two cores" if len(cores) == 2 else "one core beside the generators'"
        note = f"{few}: the workers share the generator's core and give way to it"
        notes = "; ".join(filter(None, (note, shared)))
        return Pinning(first, last, first, last, workers_give_way=True, note=notes)
    return Pinning(first, middle, first, last, note=shared)
