"""What every command has that makes a campaign."""

import click

from harness.options.decorators import default, together
from harness.options.machine import machine_options
from harness.options.output import as_json
from harness.options.target import target_options

seed = default("--seed", 1, type=click.IntRange(0, 2**31), help="Seed of all schedules.")

campaign_options = together(
    click.option("--attempts", type=click.IntRange(1, 100), help="Tries that an invalid trial gets in all."),
    seed,
    target_options,
    machine_options,
    click.option("--name", default="", help="The campaign's name; by default the profile and the time."),
    click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted campaign."),
    click.option("--dry-run", is_flag=True, help="Print what would be measured, run nothing."),
    default("--report/--no-report", True, help="Make the report at the end."),
    as_json,
)
