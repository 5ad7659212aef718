"""How options are declared and put together, and how a command hears which of them were given."""

import functools
from collections.abc import Callable
from typing import Any

import click

from harness.terminal.given import given_options

Body = Callable[..., None]
"""of a command"""


def default(flag: str, value: Any, *names: str, **more: Any) -> Callable[[Body], Body]:
    """Return an option that shows its default."""
    return click.option(flag, *names, default=value, show_default=True, **more)


def together(*options: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Return several options as one; help shows them in this order."""

    def add(command: Body) -> Body:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _spelt(option: click.Parameter, value: Any) -> str:
    if not isinstance(value, bool):
        return f"{option.opts[0]} {value}"
    return (option.opts if value else option.secondary_opts)[0]


def noting(*names: str) -> Callable[[Body], Body]:
    """Pass on which of these options were given, as `asked`: each with how it was spelt."""

    def wrap(command: Body) -> Body:
        @functools.wraps(command)
        def noted(**given: Any) -> None:
            asked = {
                str(option.name): _spelt(option, given[str(option.name)])
                for option in given_options()
                if option.name in names
            }
            command(**given, asked=asked)

        return noted

    return wrap
