"""The command `doctor`: its options, and whom it hands them to."""

import sys

import click

from harness.options.decorators import default
from harness.options.output import as_json
from harness.options.parameter_types import PORT
from harness.terminal import document
from harness.terminal.exits import DONE, FAULT


@click.command("doctor")
@default("--port", 8000, type=PORT, help="Port to be checked.")
@as_json
def doctor_command(port: int, as_json: bool) -> None:
    """Say whether this machine is fit to measure on, and what to do where it is not."""
    from harness.commands.doctor import BAD, diagnose

    found = []
    for finding in diagnose(port):
        click.echo(finding.line(), err=as_json)
        found.append(finding)
    fit = all(finding.severity < BAD for finding in found)
    if as_json:
        document.write("doctor", {"fit": fit, "checks": [finding.document() for finding in found]})
    sys.exit(DONE if fit else FAULT)
