"""A service of the user's own, in the place of strategies."""

from pathlib import Path
from typing import Final

import click

from harness.options.decorators import default, together

ITS_OWN: Final = {"loop": "its own loop", "http": "its own parser"}
"""what of the target is not ours to choose"""

service_file = click.option(
    "-f",
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A service of your own: blockpoint.toml, or a pyproject.toml that has [tool.blockpoint].",
)

service_options = together(
    service_file,
    click.option(
        "--i-own",
        "owned",
        multiple=True,
        metavar="HOST",
        help="With -f: you may load this host, which is not the machine that you are at.",
    ),
    default(
        "--max-requests",
        200_000,
        "most_requests",
        type=click.IntRange(100, 1_000_000_000),
        help="With -f: requests in all, above which no trial begins.",
    ),
)
