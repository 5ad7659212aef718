"""The command `list`: its options, and whom it hands them to."""

import click

from harness.options.output import as_json
from harness.terminal import document


@click.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """List strategies, variants, kinds of task, scenarios and profiles, with what each means."""
    from harness.commands.list import listing, names

    if as_json:
        document.write("list", names())
    else:
        click.echo("\n".join(listing()))
