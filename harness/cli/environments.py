"""The command `environments`: its options, and whom it hands them to."""

import click

from harness.options.decorators import default


@click.command("environments")
@click.argument("strategies", nargs=-1, metavar="[STRATEGY[@VERSION]]...")
@default("--servers/--no-servers", True, help="Their brokers' servers too, or the libraries alone.")
def environments_command(strategies: tuple[str, ...], *, servers: bool) -> None:
    """Make the environments of strategies, all without a name, before they are needed.

    Prints where each has its Python.
    """
    from harness.commands.environments import environments

    for line in environments(strategies, servers=servers):
        click.echo(line)
