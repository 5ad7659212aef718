"""The command `check`: its options, and whom it hands them to."""

import sys
from typing import Any

import click

from harness.options.campaign import seed
from harness.options.decorators import default
from harness.options.machine import machine_options
from harness.options.output import as_json
from harness.options.parameter_types import RATE, SECONDS, TOPOLOGIES, KindOfTask, Milliseconds, Number
from harness.options.target import target_options


@click.command("check")
@default("--strategy", "background_tasks/default", metavar="NAME[/VARIANT]", help="What is measured twice.")
@default("--kind", "sleep", type=KindOfTask(), help="Kind of task.")
@default("--duration", "50ms", "duration_ms", type=Milliseconds(), help="Task duration.")
@default("--topology", "one-box", type=TOPOLOGIES, help="Who shares cores.")
@click.option("--rate", "rate_per_s", type=RATE, help="Arrival rate per second, instead of a fraction.")
@default(
    "--fraction", 0.5, type=Number(0.001, 10), help="Arrival rate as a fraction of the predicted ceiling."
)
@default("--seconds", 5.0, type=SECONDS, help="Length of a trial.")
@default("--pairs", 3, type=click.IntRange(1, 1000), help="Times that both are measured.")
@default("--attempts", 3, type=click.IntRange(1, 100), help="Tries of an invalid trial.")
@click.option(
    "--slip-limit-ms",
    default=0.0,
    type=Number(0, 1000),
    help="Lateness of the generator that is let pass, for both names alike.  [default: 1 ms]",
)
@seed
@target_options
@machine_options
@click.option("--name", default="", help="The campaign's name; by default `check` and the time.")
@click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted check.")
@as_json
def check_command(**given: Any) -> None:
    """Measure one strategy twice under two names: a difference that is found is noise (A/A)."""
    from harness.commands.check import CheckCommand, CheckRequest

    sys.exit(CheckCommand(CheckRequest(**given)).execute())
