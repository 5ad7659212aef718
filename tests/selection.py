"""Whose tests run: those of the usual strategies always, of the others where something of theirs changed."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.strategies import discover

ROOT: Final = Path(__file__).parents[1]
READING: Final = "tests/analysis/"
"""tests that only read what was measured, whoever is named there, and start nothing"""
CHOICES: Final = ("usual", "changed", "all")


def further() -> set[str]:
    """Return the strategies that profiles with only minutes leave out."""
    return {
        name
        for name, definition in discover().items()
        if not definition.usual or all(variant.by_name_only for variant in definition.variants.values())
    }


def changed(strategies: Iterable[str]) -> set[str]:
    """Return those of which a file differs from the last commit but one; none outside of a checkout."""
    asked = ["git", "-C", str(ROOT), "diff", "--name-only", "HEAD~1", "--", "targets/strategies"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    parts = {Path(line).parts[2].removesuffix(".py") for line in said}
    return parts.intersection(strategies)


def left_out(choice: str) -> set[str]:
    """Return the strategies whose tests do not run."""
    others = further()
    return {"all": set(), "usual": others, "changed": others - changed(others)}[choice]


def strategy_of(test: str, strategies: Iterable[str]) -> str:
    """Return the strategy that a test's file or parameters name; empty where they name none of these.

    And where the test only reads what was measured.
    """
    if test.startswith(READING):
        return ""
    names = "|".join(sorted(strategies, key=len, reverse=True))
    found = re.search(rf"/test_({names})\.py|\[(?:[^\]]*[-/])?({names})(?=[/\]@-])", test)
    return next(filter(None, found.groups()), "") if found else ""
