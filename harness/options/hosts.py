"""Who generates the load, and on which host the targets are."""

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import click

from harness.options.decorators import Body, default, together

if TYPE_CHECKING:
    from harness.target.placement import Placement


def _mustered(command: Body) -> Body:
    """Pass on who generates as `fleet`, and how many cores they want as a part of the placement."""

    @functools.wraps(command)
    def mustered(*, processes: int | None, generators: str, placement: "Placement", **given: Any) -> None:
        from harness.target.fleet import Fleet

        fleet = Fleet.parse(generators, processes)
        placed = dataclasses.replace(placement, generators=max(fleet.processes, 1))
        command(fleet=fleet, placement=placed, **given)

    return mustered


generator_options = together(
    click.option(
        "--processes",
        type=click.IntRange(1, 64),
        metavar="N",
        help="Generator processes here, each on a core of its own, which share the schedule.  [default: 1]",
    ),
    click.option(
        "--generators",
        default="",
        metavar="NUMBER@HOST:PORT",
        help="Generators elsewhere, started there with `blockpoint generator --master HOST:PORT`; HOST is "
        "this host's address, where the target listens, too.",
    ),
    _mustered,
)
"""who generates the load"""

agent = default(
    "--agent",
    "",
    metavar="URL",
    help="Measure targets on the host of this `blockpoint agent`, such as http://10.0.0.5:8700; load comes "
    "from here.",
)
"""where the targets are"""
