"""Says what strategies declare, in the environment in which they run: `python -m targets.describe`.

Reads a JSON list of questions from its input and writes a JSON list with an answer to each.
"""

import platform
import sys
from functools import cache
from importlib import metadata

import msgspec

from results.errors import BlockpointError
from results.schema import Subject
from targets.registry import find
from targets.settings import Settings


class Question(msgspec.Struct, frozen=True):
    """What is asked."""

    strategy: str
    variant: str
    settings: dict[str, str]
    """variables, as `Settings.to_environment` gives them"""


class Declared(msgspec.Struct, frozen=True):
    """What a strategy declares of itself in a variant."""

    subject: Subject | None
    """None where it cannot be used"""
    workers: list[list[str]] = []
    """commands of the worker processes, run with the environment's interpreter and `-m`"""
    problem: str = ""
    """why it cannot be used"""
    versions: dict[str, str] = {}
    """of Python and of all packages in this environment"""


def declare(strategy: str, variant: str, settings: Settings) -> Declared:
    """Return what is declared in this environment; raises BlockpointError for an unknown name."""
    definition = find(strategy)
    subject = definition.subject(variant, settings)
    workers = definition.build(variant, settings).workers
    return Declared(subject, [list(command) for command in workers], versions=_versions())


@cache
def _versions() -> dict[str, str]:
    found = {each.name: each.version for each in metadata.distributions()}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}


def answer(question: Question) -> Declared:
    """Return the answer to a question, what is wrong among it."""
    try:
        return declare(question.strategy, question.variant, Settings.from_environment(question.settings))
    except BlockpointError as error:
        return Declared(None, problem=str(error))


def main() -> None:
    """Answer all questions."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Question])
    said, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    said.write(msgspec.json.encode([answer(question) for question in asked]).decode())


if __name__ == "__main__":
    main()
