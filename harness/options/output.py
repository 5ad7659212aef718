"""In which form a command answers."""

import click

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document (docs/json.md); all else goes to standard error.",
)
