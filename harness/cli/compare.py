"""The command `compare`: its options, and whom it hands them to."""

import sys
from typing import Any

import click

from harness.options.output import as_json


@click.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--fail-if",
    "rules",
    multiple=True,
    metavar="RULE",
    help="'blocking < 0.9': a ratio of B over A that is a regression; without it whatever got worse is.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option("--html", default="", metavar="FILE", help="Write the comparison as a page, too.")
@as_json
def compare_command(**given: Any) -> None:
    """Compare campaign B with campaign A: CAMPAIGN, or CAMPAIGN:STRATEGY/VARIANT for one subject of it.

    Exit codes: 0 where nothing got worse, 1 for a regression, 3 where what was asked is not measurable, 2 for
    an error.
    """
    from harness.commands.compare import CompareRequest, compare

    sys.exit(compare(CompareRequest(**given)))
