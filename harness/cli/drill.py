"""The command `drill`: its options, and whom it hands them to."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.options.campaign import campaign_options
from harness.options.decorators import default
from harness.options.service import ITS_OWN, service_file
from harness.options.subjects import strategy_options


@click.command("drill", context_settings={"default_map": {"slots": 4}})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@strategy_options
@default(
    "--repeats", 1, type=click.IntRange(1, 1000), help="Times that every drill is done with every strategy."
)
@default(
    "--jobs",
    1,
    "--lanes",
    "jobs",
    type=click.IntRange(1, 64),
    help="Drills beside each other; above 1 only the counts are reported, no latency.",
)
@click.option("--spread", is_flag=True, help="Let the variants of a strategy share its repeats.")
@service_file
@campaign_options
def drill_command(file: Path | None, **given: Any) -> None:
    """Break what can break (all drills, or those NAMEd) and count what became of every task.

    With -f FILE the same of a service of your own that FILE starts; see docs/your-service.md.
    """
    from harness.commands.drill import DrillCommand, DrillRequest

    if file is None:
        sys.exit(DrillCommand(DrillRequest(**given)).execute())
    from harness.commands.drill_service import ServiceDrillCommand, ServiceDrillRequest

    sys.exit(ServiceDrillCommand(ServiceDrillRequest(file=file, **{**given, **ITS_OWN})).execute())
