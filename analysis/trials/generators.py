"""Who generated the load of a trial, and how well the clocks were known."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from results.load import Generator


def generated(generators: Sequence[Generator]) -> dict[str, Any]:
    """Return how many generated on which host, and by how much times between hosts may be wrong."""
    counts = Counter(each.host for each in generators)
    return {
        "generators": ", ".join(f"{count} on {host}" for host, count in sorted(counts.items())),
        "clock_uncertainty_ms": max((each.uncertainty_ns for each in generators), default=0) / 1e6,
    }
