"""The command `generator`: its options, and whom it hands them to."""

from typing import Any

import click

from harness.options.decorators import default


@click.command("generator")
@click.option("--master", required=True, metavar="HOST:PORT", help="As --generators of the command has it.")
@default("--processes", 1, type=click.IntRange(1, 64), help="Generators here, each on a core of its own.")
def generator_command(**given: Any) -> None:
    """Generate a share of the load of a `find` or `run` on another host, trial after trial, until Ctrl-C.

    It runs the locustfiles that the other host sends: connect it to a host that you trust, over a network
    that you trust.
    """
    from harness.commands.generator import generate

    generate(**given, say=click.echo)
