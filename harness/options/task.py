"""A task of the user's own."""

import functools
from typing import Any

import click

from harness.options.decorators import Body, together
from harness.options.parameter_types import Number
from results.errors import BlockpointError

PREFIX = "task_"
NOT_BESIDE = {"kinds": "--kind", "durations_ms": "--duration", "cv": "--cv", "mix": "--mix"}
"""what a task of one's own has by itself"""


def _as_one(command: Body) -> Body:
    """Pass what was given on as `task`: a wish, or None."""

    @functools.wraps(command)
    def asked(**given: Any) -> None:
        own = {name.removeprefix(PREFIX): given.pop(name) for name in list(given) if name.startswith(PREFIX)}
        command(**given, task=_wish(own, given))

    return asked


def _wish(own: dict[str, Any], given: dict[str, Any]) -> Any:
    from harness.target.own import TaskWish

    if not own["name"]:
        if any(own[name] for name in ("args", "packages", "folders", "environment")):
            raise BlockpointError("name your task, too: --task mypkg.tasks:thumbnail")
        return None
    for name, option in NOT_BESIDE.items():
        if given.get(name):
            raise BlockpointError(f"--task has its own kind and durations: leave {option} away")
    return TaskWish.asked(**own)


task_options = together(
    click.option(
        "--task",
        "task_name",
        default="",
        metavar="MODULE:NAME",
        help="A callable of your own, `def` or `async def`, or an entry point of `blockpoint.tasks`.",
    ),
    click.option(
        "--task-args",
        default="",
        metavar="FILE",
        help="Its arguments: JSON lines, each an array or an object by name; a call takes one, by the seed.",
    ),
    click.option(
        "--task-with",
        "task_packages",
        multiple=True,
        metavar="PACKAGE",
        help="What it needs, installed beside every strategy's own: pillow==12.0.0, ./mypkg.",
    ),
    click.option(
        "--task-path",
        "task_folders",
        multiple=True,
        metavar="FOLDER",
        help="Where its modules lie; without it only its own package, in the working directory.",
    ),
    click.option(
        "--task-env",
        "task_environment",
        default="",
        metavar="VENV",
        help="A virtual environment that has what it needs; ours wins where both have a package.",
    ),
    click.option(
        "--task-timeout",
        "task_limit_s",
        default=60.0,
        show_default=True,
        type=Number(0.1, 3600),
        metavar="SECONDS",
        help="Longest time that a call may take; longer, a coroutine is cancelled.",
    ),
    _as_one,
)
