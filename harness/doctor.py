"""The command `doctor`: whether this machine is fit to measure on."""

import os
import platform
import resource
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from harness.broker import server_binary
from harness.environment import host
from harness.pinning import available_cores
from results.errors import BlockpointError
from targets.strategy import check_versions, discover

GOOD, NOTE, BAD = range(3)
LOOK_S = 1.0
MIN_FILES = 2048
MAX_FOREIGN_CORES = 0.1


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    severity: int
    what: str
    advice: str = ""

    def line(self) -> str:
        """Return the finding as it is printed."""
        mark = {GOOD: "ok  ", NOTE: "note", BAD: "BAD "}[self.severity]
        return f"{mark} {self.what}" + (f": {self.advice}" if self.advice else "")


def diagnose(port: int) -> Iterator[Finding]:
    """Yield what was found, each with what to do about it."""
    facts = host()
    yield Finding(GOOD, f"Python {platform.python_version()}")
    yield _cores()
    yield _noise()
    governor = facts["governor"]
    yield Finding(
        NOTE if governor and governor != "performance" else GOOD,
        f"CPU governor {governor or 'not visible'}",
        "set it to performance: cpupower frequency-set -g performance"
        if governor and governor != "performance"
        else "",
    )
    clock = facts["clock_source"]
    slow = clock in ("hpet", "acpi_pm")
    yield Finding(
        NOTE if slow else GOOD,
        f"clock source {clock or 'not visible'}",
        "reading the clock is slow here; tsc or kvm-clock would be better" if slow else "",
    )
    yield _files()
    yield _port(port)
    yield _broker()
    yield from _versions()


def _cores() -> Finding:
    cores = available_cores()
    if not cores:
        return Finding(
            NOTE, f"{os.cpu_count()} cores, no pinning on {sys.platform}", "expect more noise; repeat trials"
        )
    if len(cores) < 2:
        return Finding(BAD, "1 core", "generator and target need one each: figures will not be valid")
    return Finding(GOOD, f"{len(cores)} cores, processes are pinned to them")


def _noise() -> Finding:
    used = sum(psutil.cpu_percent(LOOK_S, percpu=True)) / 100
    what = f"{used:.2f} cores in use by other programs, load average {os.getloadavg()[0]:.2f}"
    if used > MAX_FOREIGN_CORES:
        return Finding(NOTE, what, f"trials are invalid above {MAX_FOREIGN_CORES}; stop other programs")
    return Finding(GOOD, what)


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MIN_FILES:
        return Finding(
            BAD, f"at most {soft} open files", f"raise it: ulimit -n {min(max(hard, 0) or 4096, 4096)}"
        )
    return Finding(GOOD, f"{soft} open files allowed")


def _port(port: int) -> Finding:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return Finding(GOOD, f"port {port} is free")
    except OSError as error:
        return Finding(NOTE, f"port {port}: {error.strerror}", "choose another for `serve` with --port")


def _broker() -> Finding:
    try:
        return Finding(GOOD, f"broker {os.path.basename(server_binary())}")  # noqa: PTH119 -- no path is shown
    except BlockpointError as error:
        return Finding(BAD, "no broker", str(error))


def _versions() -> Iterator[Finding]:
    for name, definition in sorted(discover().items()):
        try:
            check_versions(definition)
        except BlockpointError as error:
            yield Finding(BAD, f"strategy {name}", str(error))
        else:
            yield Finding(GOOD, f"strategy {name}")
