"""The command `report`: its options, and whom it hands them to."""

import click

from harness.options.parameter_types import Number


@click.command("report")
@click.argument("campaign")
@click.option(
    "--slo-ms",
    "limit_ms",
    type=Number(1, 60_000),
    help="Judge the same trials by this limit, into at-<LIMIT>ms/ of the campaign.  [default: its own]",
)
@click.option("--notebooks", is_flag=True, help="Execute the notebooks too, into report/notebooks/.")
def report_command(campaign: str, limit_ms: float | None, *, notebooks: bool) -> None:
    """Make the charts and the page of a CAMPAIGN (a name under results/runs, or a folder)."""
    from harness.commands.report import report

    report(campaign, click.echo, limit_ms, notebooks=notebooks)
