"""The command `run`: its options, and whom it hands them to."""

import sys
from typing import Any

import click

from harness.options.campaign import campaign_options
from harness.options.decorators import default
from harness.options.hosts import agent, generator_options
from harness.options.parameter_types import RATE, SECONDS
from harness.options.subjects import subject_options
from harness.options.task import task_options
from harness.options.traffic import traffic_options


@click.command("run")
@default("--profile", "quick", help="smoke, quick or full; see `blockpoint list`.")
@subject_options
@click.option(
    "--rate", "rates_per_s", multiple=True, type=RATE, help="Arrival rates per second, instead of the grid."
)
@click.option("--seconds", type=SECONDS, help="Length of each trial; six tasks at the least.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Times that every trial is measured.")
@task_options
@traffic_options
@generator_options
@agent
@campaign_options
def run_command(agent: str, **given: Any) -> None:
    """Measure a campaign: every trial of a profile, each strategy in processes of its own."""
    from harness.commands.elsewhere import with_agent
    from harness.commands.own_task import with_own_task
    from harness.commands.run import RunCommand, RunRequest

    sys.exit(RunCommand(with_own_task(with_agent(RunRequest(**given), agent))).execute())
