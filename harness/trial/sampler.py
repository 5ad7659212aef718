"""Samples CPU, memory and queue depth a few times a second, in a process of its own.

Run as `python -m harness.trial.sampler OUT --role web=PID --role worker=PID ... --broker redis --queue NAME
...`; appends one JSON line a sample to OUT until it is terminated. The queues are those of the server in
BLOCKPOINT_REDIS_URL, or in the variable of that broker.
"""

import contextlib
import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psutil

from harness.target import brokers
from harness.target.broker import Broker
from targets.settings import Settings

EVERY_S = 0.2
LOOK_FOR_CHILDREN_EVERY = 10
BROKER = "broker"
"""role under which the queues' depth stands, though the server may not be ours and have no process here"""
STORED = "stored"
"""role under which the memory stands that the broker's server says its data take"""
OTHER = "other"
"""role under which the CPU use of all programs but ours stands: the machine's less ours, so that a single
sample may err by some of the clock's ticks, even below zero, while their mean does not"""
STEAL = "steal"
"""role under which the time that the hypervisor gave to other machines stands"""
SAMPLER = "sampler"
HARNESS = "harness"
"""role of this process, the one that started it and those that lead it: none of their descendants'"""


class Role:
    """The processes of one role: those named and, unless they stand `alone`, all their descendants.

    A descendant that exits hands its CPU time to the parent that reaps it, so that none of it is lost
    between two samples and taken for another program's.
    """

    def __init__(self, pids: list[int], *, alone: bool = False) -> None:
        self._roots = pids
        self._alone = alone
        self._members: dict[int, psutil.Process] = {}
        self._total_s: float | None = None
        self.halted = False
        """one of them stood still at the last sample"""

    def look(self) -> None:
        """Find processes that have come since."""
        for pid in self._roots:
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(pid)
                for process in (root, *(() if self._alone else root.children(recursive=True))):
                    self._members.setdefault(process.pid, process)

    def sample(self) -> tuple[int, float, int]:
        """Return the number of processes, the CPU seconds since the last sample and the memory in bytes."""
        total_s, rss, self.halted = 0.0, 0, False
        for pid, process in list(self._members.items()):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    rss += process.memory_info().rss
                    self.halted |= process.status() == psutil.STATUS_STOPPED
            except psutil.Error:
                del self._members[pid]
                continue
            total_s += times.user + times.system
            if not self._alone:
                total_s += times.children_user + times.children_system
        used_s = 0.0 if self._total_s is None else max(total_s - self._total_s, 0.0)
        self._total_s = total_s
        return len(self._members), used_s, rss


def machine_s() -> tuple[float, float]:
    """Return the CPU seconds that all programs used, and those that were stolen, since the start.

    Interrupts count: the network's work is charged to the process that it interrupts, too.
    """
    times = psutil.cpu_times()
    interrupts_s = getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    busy_s = times.user + getattr(times, "nice", 0.0) + times.system + interrupts_s
    return float(busy_s), float(getattr(times, "steal", 0.0))


def main() -> None:
    """Sample until terminated."""
    parser = ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--role", action="append", default=[], metavar="NAME=PID")
    parser.add_argument("--broker", default="")
    parser.add_argument("--queue", action="append", default=[])
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    went_on: list[int] = []
    signal.signal(signal.SIGCONT, lambda number, _: went_on.append(number))
    pids: dict[str, list[int]] = {}
    for role in given.role:
        name, _, pid = role.partition("=")
        pids.setdefault(name, []).append(int(pid))
    broker = brokers.connected(given.broker, Settings.from_environment()) if given.broker else None
    with given.out.open("a", buffering=1) as out:
        ours = [os.getppid(), os.getpid(), *pids.pop(HARNESS, [])]
        roles = {name: Role(of_role) for name, of_role in pids.items()}
        roles[HARNESS] = Role(ours, alone=True)
        _run(roles, broker, given.queue, out.write, went_on)


def _run(
    roles: dict[str, Role], broker: Broker | None, queues: list[str], write: Any, went_on: list[int]
) -> None:
    """Write samples for ever; `went_on` has a signal once this process itself had been stopped."""
    last_ns, (last_busy_s, last_steal_s) = time.monotonic_ns(), machine_s()
    due = time.monotonic()
    turn = 0
    while True:
        if turn % LOOK_FOR_CHILDREN_EVERY == 0:
            for role in roles.values():
                role.look()
        now_ns, (now_busy_s, now_steal_s) = time.monotonic_ns(), machine_s()
        elapsed_s = max((now_ns - last_ns) / 1e9, 1e-6)
        unclaimed_s = now_busy_s - last_busy_s
        rows: dict[str, tuple[int, float, int, int]] = {}
        if broker:
            rows[BROKER] = (0, 0.0, 0, broker.depth(queues))
            rows[STORED] = (0, 0.0, broker.used_bytes(), -1)
        for name, role in roles.items():
            processes, used_s, rss = role.sample()
            unclaimed_s -= used_s
            _, _, _, depth = rows.get(name, (0, 0.0, 0, -1))
            rows[name] = (processes, used_s / elapsed_s, rss, depth)
        rows[OTHER] = (0, unclaimed_s / elapsed_s, 0, -1)
        rows[STEAL] = (0, (now_steal_s - last_steal_s) / elapsed_s, 0, -1)
        if turn:
            halted = [name for name, role in roles.items() if role.halted] + [SAMPLER] * bool(went_on)
            write(json.dumps({"at_ns": now_ns, "roles": rows, "halted": halted}) + "\n")
        last_ns, last_busy_s, last_steal_s = now_ns, now_busy_s, now_steal_s
        turn += 1
        due = max(due + EVERY_S, time.monotonic())
        time.sleep(max(due - time.monotonic(), 0))


if __name__ == "__main__":
    main()
