"""What was found of the user's task, for a person."""

from collections.abc import Iterator
from typing import Final, Literal

from harness.campaign.own_task import Own
from results.schema import Service
from results.terms import KINDS
from targets.timing.found import Phase

BUSY: Final = 0.1
"""share of its time for which a task waited for a core, from which on its duration is not its own"""


def lines(own: Own) -> list[str]:
    """Return what was found, for a person."""
    timed = own.timed
    form = "async def" if timed.awaited else "def"
    found = [f"your task {own.wish.name} ({form}), timed in the environment of {own.strategy}:"]
    found += [f"  {line}" for line in _phases(own)]
    held = f"  holds the GIL for {timed.gil:.0%} of its time alone, cores for {timed.cores:.0%}"
    found.append(held + (f", the event loop for {timed.loop:.0%}" if timed.awaited else ""))
    if timed.queued > BUSY:
        found.append(f"  waited for a core for {timed.queued:.0%} of it: other programs had it")
    if timed.returned_bytes:
        found.append(f"  returns up to {timed.returned_bytes:,} bytes, which no strategy keeps")
    if timed.last_error:
        found.append(f"  some calls raise, the last: {timed.last_error}")
    return [*found, f"  searched as kind {own.kind} of {own.duration_ms:g} ms ({KINDS[own.kind].summary})"]


def _phases(own: Own) -> Iterator[str]:
    """Yield a line for each way in which it was called, with what the law makes of its demand there."""
    timed = own.timed
    if timed.alone:
        yield _told("alone", timed.alone)
    if beside := timed.side_by_side:
        law: Literal["await", "pool"] = "await" if timed.awaited else "pool"
        yield _told("side by side", beside) + own.law(Service(law=law, slots=beside.at_once))
    if apart := timed.in_processes:
        in_processes = Service(law="pool", slots=apart.at_once, processes=apart.at_once)
        yield _told("in processes", apart) + own.law(in_processes)


def _told(name: str, phase: Phase) -> str:
    at_once = f", {phase.at_once} at once" if phase.at_once > 1 else ""
    raised = f", {phase.failures} of them raise" if phase.failures else ""
    return (
        f"{name + at_once:26} mean {phase.mean_ms:.3g} ms, median {phase.median_ms:.3g}, "
        f"p95 {phase.p95_ms:.3g}, cv {phase.cv:.2g}; {phase.per_s:.3g}/s ({phase.calls} calls{raised})"
    )
