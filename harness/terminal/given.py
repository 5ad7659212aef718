"""Which options the running command was given."""

from collections.abc import Iterator

import click
from click.core import ParameterSource


def given_options() -> Iterator[click.Parameter]:
    """Yield its options and arguments that stand on the command line: neither defaults nor variables."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
            yield parameter
