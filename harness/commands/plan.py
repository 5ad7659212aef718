"""The command `plan`: how many processes, workers and slots a demand takes, by what was measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from harness.commands.plan_request import Planned, PlanRequest
from harness.commands.plan_service import plan_of_service
from harness.commands.plan_strategies import plan_of_strategies
from harness.terminal import document
from harness.terminal.exits import DONE, FAULT
from harness.terminal.files import write_text
from results.store import campaign_folder, open_campaign

if TYPE_CHECKING:
    from analysis.plan.words import ToldPlan

WIDE: Final = 140
"""columns of a table whose outlet does not say how wide it is"""


def plan(request: PlanRequest) -> int:
    """Print what carries the demand; returns 0 where something does, else 1. Raises BlockpointError."""
    folder = campaign_folder(request.campaign) if request.campaign else None
    of_service = folder and any(each.asked for each in open_campaign(folder).manifest.subjects)
    made = plan_of_service(request, folder) if folder and of_service else plan_of_strategies(request, folder)
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
