"""Says which options have no effect on a campaign that is gone on with: its conditions are its own."""

from typing import Final

import click
from click.core import ParameterSource

HEEDED: Final = frozenset(
    {
        *("resume", "attempts", "report", "dry_run"),
        *("redis_url", "quiet_wait", "max_foreign_cores"),
        *("max_trials", "budget_s", "predict"),
    }
)
"""what a campaign may be gone on with in another way than it was begun"""
NOTED: Final = frozenset({"slots", "anyio_tokens"})
"""of these `opening.say_unheeded` speaks"""


def say_kept() -> None:
    """Print one line on standard error where `--resume` came with options that the campaign decides."""
    context = click.get_current_context()
    if not context.params.get("resume"):
        return
    unheeded = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in HEEDED | NOTED
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if unheeded:
        words, name = ", ".join(unheeded), context.params["resume"]
        click.echo(f"note: {words} has no effect: {name} goes on as it was begun", err=True)
