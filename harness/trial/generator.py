"""The load of one trial: Locust processes of its own."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import loadtests
from harness.target.broker import free_port
from harness.target.fleet import Fleet
from harness.target.processes import Child
from harness.target.target import Launch, Target
from harness.target.versions import Pinned
from results.documents import read_document
from results.errors import BlockpointError
from results.load import Load
from results.schema import Plan

OPTIONS = frozenset(
    {
        "--slip-limit-ms",
        "--durations",
        "--rates",
        "--burst-rate",
        "--burst-seconds",
        "--close-early-every",
        "--poison",
        "--poison-every",
        "--poison-kills",
        "--arrivals",
        "--burst-mean-s",
        "--trace",
        "--cv",
        "--mix",
        "--parts",
    }
)
"""what a plan may add: a manifest from elsewhere could else have Locust run any file"""
SCENARIOS = Path(loadtests.__file__).parent
CONNECT_LIMIT_S = 25
"""for all workers to connect, from the start of what leads them"""


def arguments(target: Target, plan: Plan, out: Path, drain_s: float, slip_limit_ms: float) -> list[str]:
    """Return Locust's arguments for a planned trial; its own options come last and win.

    `slip_limit_ms`: lateness that is no fault; 0 leaves the scenario's own limit.
    Raises BlockpointError for an option that no plan of ours has.
    """
    if not OPTIONS.issuperset(plan.options[::2]) or any(
        value.startswith("-") for value in plan.options[1::2]
    ):
        raise BlockpointError(f"{plan.trial_id}: its plan has options that no plan of ours has")
    return [
        *("--headless", "--only-summary"),
        *("--host", target.host),
        *(("--expect", _served(target), "--expect-nonce", target.nonce) if target.nonce else ()),
        *("--kind", plan.kind, "--duration-ms", f"{plan.duration_ms:g}", "--rate", f"{plan.rate_per_s:g}"),
        *("--seconds", f"{plan.seconds:g}", "--seed", str(plan.seed), "--out", str(out)),
        *("--drain-seconds", f"{drain_s:g}", "--allow-errors", "--slip-limit-ms", f"{slip_limit_ms:g}"),
        *("--bystander-rate", f"{plan.bystander_per_s:g}", *plan.options),
    ]


def _served(target: Target) -> str:
    """Return the name that the target itself gives: of versions that were asked for it knows nothing."""
    return f"{Pinned.parse(target.subject.strategy).strategy}/{target.subject.variant}"


@contextlib.contextmanager
def generating(launch: Launch, plan: Plan, given: list[str], logs: Path) -> Iterator[list[Child]]:
    """Run the generator's processes on this host, the one first that leads them and writes the result.

    They find no `~/.locust.conf`, and are gone when the block is left.
    """
    fleet, family = launch.fleet, launch.family
    locust = [sys.executable, "-m", "locust", "-f", str(SCENARIOS / f"{plan.scenario}.py")]
    home = {"HOME": str(family.folder)}
    port = fleet.port or free_port()
    leading = _leading(fleet, port) if fleet.led else []
    working = ["--worker", "--master-host", fleet.host, "--master-port", str(port)]
    started = [
        family.spawn("generator", [*locust, *given, *leading], logs / "generator.log", home, launch.pinning)
    ]
    try:
        for index in range(fleet.processes if fleet.led else 0):
            log, pinning = logs / f"generator-{index + 1}.log", launch.pinning.of_generator(index)
            started.append(family.spawn("generator", [*locust, *working], log, home, pinning))
        yield started
    finally:
        for child in reversed(started):
            family.stop(child, 0.0)


def _leading(fleet: Fleet, port: int) -> list[str]:
    """Return what makes a Locust process lead: it listens at the one address, and waits for all workers."""
    return [
        *("--master", "--master-bind-host", fleet.host, "--master-bind-port", str(port)),
        *("--expect-workers", str(fleet.size), "--expect-workers-max-wait", str(CONNECT_LIMIT_S)),
    ]


def read_load(folder: Path, generator: Child) -> Load:
    """Return what an ended generator wrote, and remove it; raises BlockpointError where it wrote nothing."""
    written = folder / "load.json"
    if not written.is_file():
        raise BlockpointError(
            f"the generator ended with code {generator.process.poll()} and without a result; it said last:\n"
            f"{generator.log_tail()}"
        )
    load = read_document(written, Load)
    if not load.steps:
        raise BlockpointError("the generator was ended before its schedule began")
    written.unlink()
    return load
