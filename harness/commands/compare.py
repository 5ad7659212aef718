"""The command `compare`: two campaigns beside each other, and whether the second is worse."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from harness.commands.plan import WIDE
from harness.terminal import document
from harness.terminal.document import finite, number
from harness.terminal.exits import DONE, FAULT, UNANSWERED
from harness.terminal.files import write_text

if TYPE_CHECKING:
    from analysis.compare.comparison import Compared, SideBySide
    from analysis.compare.ratios import Ratio
    from analysis.compare.rules import Judgement, Rule


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """What `compare` was asked for."""

    first: str
    second: str
    rules: tuple[str, ...]
    markdown: bool
    html: str
    as_json: bool


def compare(request: CompareRequest) -> int:
    """Print by which factors the second campaign differs; returns the exit code. Raises BlockpointError."""
    from analysis.compare.comparison import side_by_side
    from analysis.compare.rules import Judgement, Rule, verdict
    from analysis.compare.sides import read_side

    rules = [Rule.parse(each) for each in request.rules]
    found = side_by_side(read_side(request.first), read_side(request.second))
    ended = verdict(found, rules)
    _show(request, found, ended, rules)
    codes = {
        Judgement.NO_DIFFERENCE: DONE,
        Judgement.REGRESSION: FAULT,
        Judgement.NOT_MEASURABLE: UNANSWERED,
    }
    if request.as_json:
        document.write("compare", _document(found, ended, codes[ended]))
    return codes[ended]


def _show(request: CompareRequest, found: "SideBySide", ended: "Judgement", rules: "list[Rule]") -> None:
    from analysis.compare.words import COLUMNS, as_markdown, comments, conclusion, parts

    console = Console(highlight=False, stderr=request.as_json)
    if not console.is_terminal:
        console.width = WIDE
    if request.html:
        from analysis.compare.page import compare_page

        path = write_text(Path(request.html), compare_page(found, ended, rules))
        console.print(f"page: {path}", markup=False, soft_wrap=True)
    if request.markdown:
        click.echo(as_markdown(found, ended, rules), err=request.as_json)
        return
    for line in comments(found):
        console.print(line, markup=False, soft_wrap=True)
    for what, told in parts(found):
        console.print(what, markup=False, soft_wrap=True)
        table = Table(*COLUMNS[1:], box=None, pad_edge=False)
        for _, *cells in told:
            table.add_row(*cells)
        console.print(table)
        console.print()
    console.print(conclusion(found, ended, rules), markup=False, soft_wrap=True)


def _document(found: "SideBySide", ended: "Judgement", code: int) -> dict[str, Any]:
    return {
        "first": found.first,
        "second": found.second,
        "verdict": ended.name.lower(),
        "exit_code": code,
        "unlike": [{"name": u.name, "first": u.first, "second": u.second} for u in found.flagged],
        "remarks": found.remarks,
        "ratios": [_ratio(*each) for each in found.ratios],
    }


def _ratio(compared: "Compared", ratio: "Ratio") -> dict[str, Any]:
    kind, duration_ms, topology = compared.condition
    return {
        "first_subject": compared.subjects[0],
        "second_subject": compared.subjects[1],
        "kind": kind,
        "duration_ms": duration_ms,
        "topology": topology,
        "rate_per_s": finite(compared.rate_per_s),
        "pairs": compared.pairs,
        "metric": ratio.metric,
        **number("ratio", ratio.middle),
        **number("ratio_low", ratio.low),
        **number("ratio_high", ratio.high),
        "shaky": ratio.shaky,
        "worse": ratio.worse,
        "better": ratio.better,
    }
