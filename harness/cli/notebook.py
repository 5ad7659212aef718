"""The command `notebook`: its options, and whom it hands them to."""

import sys

import click

from harness.options.decorators import default


@click.command("notebook")
@click.argument("campaign")
@click.option("--name", default="", metavar="NOTEBOOK", help="Only this one, for example 01_where_it_blocks.")
@default("--open/--no-open", True, "opened", help="Open it in Jupyter, or only write the files.")
def notebook_command(campaign: str, name: str, *, opened: bool) -> None:
    """Write a CAMPAIGN's notebooks into its folder `notebooks`, yours to change, and open them in Jupyter."""
    from harness.commands.notebook import notebook

    sys.exit(0 if notebook(campaign, name, click.echo, opened=opened) else 1)
