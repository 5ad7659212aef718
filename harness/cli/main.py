"""The command line as a whole: its commands, and what an error or an interruption comes to."""

import sys

import click

from harness.cli.agent import agent_command
from harness.cli.check import check_command
from harness.cli.compare import compare_command
from harness.cli.doctor import doctor_command
from harness.cli.drill import drill_command
from harness.cli.environments import environments_command
from harness.cli.find import find_command
from harness.cli.generator import generator_command
from harness.cli.list import list_command
from harness.cli.notebook import notebook_command
from harness.cli.plan import plan_command
from harness.cli.report import report_command
from harness.cli.run import run_command
from harness.cli.serve import serve_command
from harness.cli.verify import verify_command
from harness.terminal.exits import ERROR, INTERRUPTED
from harness.terminal.outlets import outlets
from harness.terminal.signals import Ended, interruptible, last_words
from results.errors import BlockpointError

COMMANDS = (
    run_command,
    find_command,
    drill_command,
    check_command,
    report_command,
    plan_command,
    compare_command,
    verify_command,
    notebook_command,
    environments_command,
    serve_command,
    generator_command,
    agent_command,
    list_command,
    doctor_command,
)


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blockpoint")
def blockpoint() -> None:
    """Measure where FastAPI's ways of running background work start to block the API."""


@outlets()
def main() -> None:
    """Run the command line: an error is one line on standard error and a non-zero exit."""
    try:
        with interruptible():
            blockpoint(standalone_mode=False)
    except BlockpointError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(ERROR)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        last_words("interrupted")
        sys.exit(INTERRUPTED)
    except Ended as end:
        last_words(f"ended by {end.name}")
        sys.exit(end.code)
