"""The command `doctor`: whether this machine is fit to measure on."""

import os
import platform
import resource
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from harness.campaign.environment import host
from harness.target import brokers
from harness.target.cores import available_cores
from harness.target.declarations import subject as subject_of
from harness.target.redis_broker import server_binary
from harness.trial.noise import MAX_HICCUP_P99_MS, ambient_noise
from results.errors import BlockpointError
from targets.registry import from_elsewhere, installed
from targets.settings import Settings
from targets.strategy import Definition

GOOD, NOTE, BAD = range(3)
VERDICTS = ("ok", "note", "bad")
LOOK_S = 1.0
MIN_FILES = 2048
MAX_FOREIGN_CORES = 0.1
MAX_STEAL_CORES = 0.02
"""in a look of this length two ticks of the CPU clock"""


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

    def document(self) -> dict[str, str | None]:
        """Return the finding for programs."""
        return {"verdict": VERDICTS[self.severity], "what": self.what, "advice": self.advice or None}


def diagnose(port: int) -> Iterator[Finding]:
    """Yield what was found, each with what to do about it."""
    facts = host()
    yield Finding(GOOD, f"Python {platform.python_version()}")
    yield _cores()
    yield from _noise()
    governor, clock = facts["governor"], facts["clock_source"]
    yield _judged(
        f"CPU governor {governor or 'not visible'}",
        governor not in ("", "performance"),
        "set it to performance: cpupower frequency-set -g performance",
    )
    yield _judged(
        f"clock source {clock or 'not visible'}",
        clock in ("hpet", "acpi_pm"),
        "reading the clock is slow here; tsc or kvm-clock would be better",
    )
    yield _files()
    yield _port(port)
    yield _broker()
    yield from _strategies()


def _cores() -> Finding:
    cores = available_cores()
    if not cores:
        what = f"{os.cpu_count()} cores, no pinning on {sys.platform}"
        return Finding(NOTE, what, "generator and target disturb each other; repeat trials")
    if len(cores) < 2:
        return Finding(BAD, "1 core", "generator and target need one each: figures will not be valid")
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        advice = "processes must be allowed to choose their cores"
        return Finding(BAD, f"{len(cores)} cores, pinning refused ({error.strerror})", advice)
    return Finding(GOOD, f"{len(cores)} cores, processes are pinned to them")


def _noise() -> Iterator[Finding]:
    """Look at all cores for a second, while nothing of ours runs."""
    seen = ambient_noise(available_cores(), seconds=LOOK_S)
    yield _judged(
        f"{seen.foreign_cores:.2f} cores in use by other programs, load average {os.getloadavg()[0]:.2f}",
        seen.foreign_cores >= MAX_FOREIGN_CORES,
        f"trials are invalid from {MAX_FOREIGN_CORES} on; stop other programs",
    )
    yield _judged(
        f"{seen.steal_cores:.2f} cores given to other machines by the hypervisor",
        seen.steal_cores > MAX_STEAL_CORES,
        "its host is busy: repeat trials, or measure at another time",
    )
    for hiccups in seen.hiccups:
        where = "any core" if hiccups.core is None else f"core {hiccups.core}"
        yield _judged(
            f"idle thread on {where} wakes {hiccups.p99_ms:.2f} ms late (p99), {hiccups.max_ms:.2f} at most",
            hiccups.p99_ms >= MAX_HICCUP_P99_MS,
            f"trials are invalid where their generator is {MAX_HICCUP_P99_MS:g} ms late; repeat them",
        )


def _judged(what: str, shaky: bool, advice: str) -> Finding:
    return Finding(NOTE, what, advice) if shaky else Finding(GOOD, what)


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


def _strategies() -> Iterator[Finding]:
    for name, found in installed():
        faults = [str(found)] if isinstance(found, BlockpointError) else list(_faults(found))
        for fault in faults:
            yield Finding(NOTE if from_elsewhere(name) else BAD, f"strategy {name}", fault)
        if not faults:
            yield Finding(GOOD, f"strategy {name}")


def _faults(definition: Definition) -> Iterator[str]:
    """Yield each thing that keeps a variant from being used, once."""
    said = set()
    for variant in definition.variants:
        try:
            subject_of(definition.name, variant, Settings())
            brokers.look(definition.broker)
        except BlockpointError as error:
            if str(error) not in said:
                said.add(str(error))
                yield str(error)
