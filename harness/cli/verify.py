"""The command `verify`: its options, and whom it hands them to."""

import sys
from typing import Any

import click

from harness.options.output import as_json


@click.command("verify")
@click.argument("campaigns", nargs=-1, metavar="[CAMPAIGN]...")
@click.option(
    "-f",
    "--file",
    default="",
    metavar="FILE",
    help="Where the objectives are.  [default: blockpoint.toml, else pyproject.toml]",
)
@as_json
def verify_command(**given: Any) -> None:
    """Say whether CAMPAIGNs, the newest without a name, met the objectives of a file.

    Exit codes: 0 where all are met, 1 where one is missed, 3 where none is missed and one is not known, 2 for
    an error.
    """
    from harness.commands.verify import VerifyRequest, verify

    sys.exit(verify(VerifyRequest(**given)))
