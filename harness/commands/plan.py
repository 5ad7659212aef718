"""The command `plan`: how many processes, workers and slots a demand takes, by what was measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from harness.commands.plan_documents import option_documents, refusal_documents
from harness.commands.plan_request import Planned, PlanRequest
from harness.commands.plan_service import plan_of_service
from harness.terminal import document
from harness.terminal.exits import DONE, FAULT
from harness.terminal.files import write_text
from results.errors import BlockpointError
from results.store import campaign_folder, open_campaign

if TYPE_CHECKING:
    from analysis.plan.words import ToldPlan

WIDE: Final = 140
"""columns of a table whose outlet does not say how wide it is"""
SLO_MS: Final = 200.0
"""unless another is asked for; of a service the limit of its campaign"""
OF_A_SERVICE: Final = ("pool",)
"""options that say nothing of strategies"""


def plan(request: PlanRequest) -> int:
    """Print what carries the demand; returns 0 where something does, else 1. Raises BlockpointError."""
    folder = campaign_folder(request.campaign) if request.campaign else None
    of_service = folder and any(each.asked for each in open_campaign(folder).manifest.subjects)
    made = plan_of_service(request, folder) if folder and of_service else _plan_of_strategies(request, folder)
    console = Console(highlight=False, stderr=request.as_json)
    if not console.is_terminal:
        console.width = WIDE
    path = _page(Path(request.html), made) if request.html else ""
    _print(console, made.told)
    if path:
        console.print(f"page: {path}", markup=False, soft_wrap=True)
    if request.as_json:
        document.write("plan", made.document)
    return DONE if made.told.options else FAULT


def _plan_of_strategies(request: PlanRequest, folder: Path | None) -> Planned:
    from analysis.drills.facts import shipped_facts
    from analysis.plan.demand import Demand
    from analysis.plan.options import options
    from analysis.plan.reference import read_measures, shipped
    from analysis.plan.staircase import draw, stairs
    from analysis.plan.words import told_plan

    request.refuse(OF_A_SERVICE, "says something of a service's campaign only")
    if not request.duration_ms:
        missing = (
            "a task that takes no time needs no plan" if request.duration_ms == 0 else "how long a task lasts"
        )
        raise BlockpointError(f"--duration: {missing}; write 800ms")
    found = read_measures(folder) if folder else shipped()
    low, high = request.rates_per_s
    demand = Demand(
        lowest_per_s=low,
        highest_per_s=high,
        duration_ms=request.duration_ms,
        cv=request.cv,
        kind=request.kind,
        slo_p99_ms=request.slo_p99_ms or SLO_MS,
        done_within_ms=request.done_within_ms,
        durable=request.durable,
        cores=request.cores or found.cores,
        peak_s=request.peak_s,
        headroom=request.headroom,
    )
    able, unable = options(found, demand, shipped_facts())
    if not able and not unable:
        kinds = ", ".join(sorted({each.kind for each in found.subjects}))
        raise BlockpointError(f"{found.campaign}: measured no {demand.kind} tasks, but {kinds}")
    about = {
        "campaign": found.campaign,
        "demand": {
            "rate_per_s": [low, high],
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
    }
    found_out = {"options": option_documents(able), "refused": refusal_documents(unable)}
    drawing = draw(stairs(able, demand), demand) if request.html else ""
    return Planned(told_plan(found, demand, able, unable), drawing, about | found_out)


def _page(path: Path, made: Planned) -> str:
    from analysis.plan.page import plan_page

    return write_text(path, plan_page(made.told, made.drawing))


def _print(console: Console, told: "ToldPlan") -> None:
    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(told.title)
    say("")
    if told.options:
        table = Table(*told.columns, box=None, pad_edge=False)
        for cells, _ in told.options:
            table.add_row(*cells)
        console.print(table)
    else:
        say(told.nothing)
    for place, (cells, reasons) in enumerate(told.options, start=1):
        say(f"\n{place}. {cells[0]}")
        for about, words in reasons:
            say(f"   {about + ':':17}{words}")
    if told.refusals:
        say("\nnot these")
        for each in told.refusals:
            say(f"   {each}")
    say("")
    for line in told.source:
        say(line)
