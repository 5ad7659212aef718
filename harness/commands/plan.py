"""The command `plan`: how many processes, workers and slots a demand takes, by what was measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from harness.commands.plan_documents import option_documents, refusal_documents
from harness.terminal import document
from harness.terminal.exits import DONE, FAULT
from harness.terminal.files import write_text
from results.errors import BlockpointError
from results.store import campaign_folder

if TYPE_CHECKING:
    from analysis.plan.demand import Demand
    from analysis.plan.measures import Measures
    from analysis.plan.options import Option, Refusal

WIDE: Final = 140
"""columns of a table whose outlet does not say how wide it is"""


LOWEST_PER_S: Final = 0.01
HIGHEST_PER_S: Final = 20_000
"""what the generator could offer"""


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What `plan` was asked for."""

    campaign: str
    """empty for the reference that ships with this package"""
    rates_per_s: tuple[float, float]
    duration_ms: float
    cv: float
    kind: str
    slo_p99_ms: float
    done_within_ms: float
    durable: bool
    cores: int | None
    peak_s: float
    headroom: float
    html: str
    as_json: bool


def plan(request: PlanRequest) -> int:
    """Print what carries the demand; returns 0 where something does, else 1. Raises BlockpointError."""
    from analysis.drills.facts import shipped_facts
    from analysis.plan.options import options

    if not request.duration_ms:
        raise BlockpointError("--duration: a task that takes no time needs no plan; write 800ms")
    found = _measures(request.campaign)
    demand = _demand(request, found)
    able, unable = options(found, demand, shipped_facts())
    if not able and not unable:
        kinds = ", ".join(sorted({each.kind for each in found.subjects}))
        raise BlockpointError(f"{found.campaign}: measured no {demand.kind} tasks, but {kinds}")
    console = Console(highlight=False, stderr=request.as_json)
    if not console.is_terminal:
        console.width = WIDE
    path = _page(Path(request.html), found, demand, able, unable) if request.html else ""
    _print(console, found, demand, able, unable)
    if path:
        console.print(f"page: {path}", markup=False, soft_wrap=True)
    if request.as_json:
        _document(found, demand, able, unable)
    return DONE if able else FAULT


def _page(
    path: Path, found: "Measures", demand: "Demand", able: "list[Option]", unable: "list[Refusal]"
) -> str:
    from analysis.plan.page import plan_page

    return write_text(path, plan_page(found, demand, able, unable))


def _measures(campaign: str) -> "Measures":
    from analysis.plan.reference import read_measures, shipped

    return read_measures(campaign_folder(campaign)) if campaign else shipped()


def _demand(request: PlanRequest, found: "Measures") -> "Demand":
    from analysis.plan.demand import Demand

    low, high = request.rates_per_s
    return Demand(
        lowest_per_s=low,
        highest_per_s=high,
        duration_ms=request.duration_ms,
        cv=request.cv,
        kind=request.kind,
        slo_p99_ms=request.slo_p99_ms,
        done_within_ms=request.done_within_ms,
        durable=request.durable,
        cores=request.cores or found.cores,
        peak_s=request.peak_s,
        headroom=request.headroom,
    )


def _print(
    console: Console,
    found: "Measures",
    demand: "Demand",
    able: "list[Option]",
    unable: "list[Refusal]",
) -> None:
    from analysis.plan.words import COLUMNS, plan_cells, reasons, refusal, source, title

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(title(demand))
    say("")
    if able:
        table = Table(*COLUMNS, box=None, pad_edge=False)
        for each in able:
            table.add_row(*plan_cells(each))
        console.print(table)
    else:
        say("none of the measured strategies carries that")
    for place, each in enumerate(able, start=1):
        say(f"\n{place}. {each.subject}")
        for about, words in reasons(each, demand):
            say(f"   {about + ':':17}{words}")
    if unable:
        say("\nnot these")
        for other in unable:
            say(f"   {refusal(other)}")
    say("")
    for line in source(found, demand):
        say(line)


def _document(found: "Measures", demand: "Demand", able: "list[Option]", unable: "list[Refusal]") -> None:
    document.write(
        "plan",
        {
            "campaign": found.campaign,
            "demand": {
                "rate_per_s": [demand.lowest_per_s, demand.highest_per_s],
                "sized_for_per_s": demand.sized_per_s,
                "kind": demand.kind,
                "duration_ms": demand.duration_ms,
                "cv": demand.cv,
                "slo_p99_ms": demand.slo_p99_ms,
                "done_within_p99_ms": demand.done_within_ms,
                "durable": demand.durable,
                "cores": demand.cores,
                "peak_s": demand.peak_s,
            },
            "options": option_documents(able),
            "refused": refusal_documents(unable),
        },
    )


def parse_rates(text: str) -> tuple[float, float]:
    """Return the ends of a rate or an interval, `120` or `80..150`; raises BlockpointError."""
    first, between, second = text.partition("..")
    try:
        low = float(first)
        high = float(second) if between else low
    except ValueError:
        raise BlockpointError(f"--rate: {text!r} is no rate; write 120, or 80..150") from None
    if not LOWEST_PER_S <= low <= high <= HIGHEST_PER_S:
        raise BlockpointError(
            f"--rate: {text!r} is not between {LOWEST_PER_S:g} and {HIGHEST_PER_S:g}/s, lower end first"
        )
    return low, high


def kind_of(name: str) -> str:
    """Return the kind that `io` and `cpu` stand for, or the one of that name; raises BlockpointError."""
    from results.errors import lookup
    from results.terms import KINDS

    known = {kind: kind for kind in KINDS} | {"io": "sleep"}
    return lookup("kind", name, known)
