"""The strategies that are installed here."""

import subprocess
from collections.abc import Mapping

from harness.target.environments import environment_of
from results.inheritance import inherited
from targets.registry import installed
from targets.strategy import Definition


def discover() -> dict[str, Definition]:
    """Return every registered strategy that can be used, by name and in its place."""
    return {name: each for name, each in installed() if isinstance(each, Definition)}


def brokered(server: str) -> list[tuple[str, str]]:
    """Return every strategy and variant that has that broker."""
    return [
        (name, variant)
        for name, definition in sorted(discover().items())
        for variant in definition.variants
        if definition.broker == server
    ]


def told(strategy: str, code: str, environ: Mapping[str, str] | None = None) -> str:
    """Return what code prints in a strategy's environment."""
    done = subprocess.run(
        [environment_of(strategy).python, "-c", code],
        env={**inherited(), **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
