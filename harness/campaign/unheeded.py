"""Settings that were asked for and that what is measured makes no use of: said before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.campaign.predictions import split_key
from targets.settings import Settings
from targets.strategy import find

DECLARED = ("slots", "anyio_tokens", "visibility_s", "job_timeout_s", "cores")
"""settings whose use shows in what a strategy declares"""


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
    definition = find(strategy)
    other = replace(settings, **{name: getattr(settings, name) + 1})
    return definition.subject(variant, settings) != definition.subject(variant, other)


def _instead(settings: Settings, idle: Sequence[str]) -> str:
    """Return what sets the slots of those that have an option for it."""
    follow = [key for key in idle if heeds(key, settings, "anyio_tokens")]
    return f"; --anyio-tokens sets the slots of {', '.join(follow)}" if follow else ""
