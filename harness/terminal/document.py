"""What a command found as one JSON document on standard output, for programs."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import click

FORMAT: Final = 1
"""of all documents: a key may be added under the same number, none goes or changes its meaning"""

DIGITS: Final = 6


def write(command: str, told: Mapping[str, Any]) -> None:
    """Write a document; raises ValueError for a number that JSON does not have."""
    document = {"format": FORMAT, "command": command, **told}
    click.echo(json.dumps(document, indent=2, allow_nan=False))


def finite(value: float | None) -> float | None:
    """Return a number to as many digits as tell anything; None for one that is unknown or without an end."""
    return float(f"{value:.{DIGITS}g}") if value is not None and math.isfinite(value) else None


def number(name: str, value: float | None) -> dict[str, float | str | None]:
    """Return a number under its name, and beside it whether it is `finite`, `infinite` or `unknown`."""
    return {name: finite(value), f"{name}_is": _is(value)}


def _is(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "unknown"
    return "finite" if math.isfinite(value) else "infinite"
