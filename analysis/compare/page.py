"""A comparison as one page that needs nothing else."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.compare.comparison import SideBySide
from analysis.compare.rules import Judgement, Rule
from analysis.compare.words import COLUMNS, comments, conclusion, row


def compare_page(found: SideBySide, verdict: Judgement, rules: list[Rule]) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(
        title=f"{found.second} against {found.first}",
        conclusion=conclusion(found, verdict, rules),
        columns=COLUMNS,
        rows=[(row(*each), each[1]) for each in found.ratios],
        remarks=list(comments(found)),
    )
