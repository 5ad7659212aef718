"""What was asked for in vain: said in a line each, on standard error and before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import click

from harness.campaign.conditions import Conditions
from harness.campaign.predictions import split_key
from harness.target.declarations import subject as subject_of
from harness.terminal.given import given_options
from results.schema import Plan, Point
from targets.settings import Settings, asked_of_a_target, variable

HEEDED: Final = frozenset(
    {
        *("resume", "attempts", "report", "dry_run", "as_json"),
        *("file", "owned", "most_requests"),
        *("redis_url", "quiet_wait", "max_foreign_cores", "generators", "agent"),
        *("max_trials", "budget_s", "predict"),
        *("task_name", "task_args", "task_packages", "task_folders", "task_environment", "task_limit_s"),
    }
)
"""options by which a campaign may be gone on with in another way than it was begun"""
DECLARED: Final = ("slots", "anyio_tokens", "visibility_s", "job_timeout_s", "cores")
"""settings whose use shows in what a strategy declares"""


def say_kept(campaign: str) -> None:
    """Say which options have no effect on a campaign that is gone on with: its conditions are its own."""
    unheeded = [option.opts[0] for option in given_options() if option.name not in HEEDED]
    if unheeded:
        click.echo(f"note: {', '.join(unheeded)} has no effect: {campaign} goes on as it was begun", err=True)


def say_unheeded(conditions: Conditions, work: Sequence[Plan | Point]) -> None:
    """Say which variables, and which settings of a new campaign's target, have no effect."""
    if unused := ", ".join(variable(name) for name in asked_of_a_target()):
        click.echo(f"note: {unused} has no effect: campaigns take options, `serve` takes variables", err=True)
    if not conditions.resume:
        subjects = list(dict.fromkeys(item.subject for item in work))
        for line in unheeded(conditions.settings, conditions.asked, subjects):
            click.echo(line, err=True)


def unheeded(settings: Settings, asked: Mapping[str, str], subjects: Sequence[str]) -> Iterator[str]:
    """Yield a line for each setting that some of the subjects make no use of.

    asked holds the settings' names, each with how it was asked for.
    """
    for name, words in asked.items():
        if name in DECLARED and (idle := [key for key in subjects if not heeds(key, settings, name)]):
            yield f"note: {words} has no effect on the tasks of {', '.join(idle)}{_instead(settings, idle)}"


def heeds(subject: str, settings: Settings, name: str) -> bool:
    """Say whether a subject declares something else where that setting is another."""
    strategy, variant = split_key(subject)
    other = replace(settings, **{name: getattr(settings, name) + 1})
    return subject_of(strategy, variant, settings) != subject_of(strategy, variant, other)


def _instead(settings: Settings, idle: Sequence[str]) -> str:
    """Return what sets the slots of those that have an option for it."""
    follow = [key for key in idle if heeds(key, settings, "anyio_tokens")]
    return f"; --anyio-tokens sets the slots of {', '.join(follow)}" if follow else ""
