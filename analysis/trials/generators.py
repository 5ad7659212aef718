"""Who generated the load of a trial, and how well the clocks were known."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from results.findings import TargetHost
from results.load import Generator


def generated(generators: Sequence[Generator], target: TargetHost | None = None) -> dict[str, Any]:
    """Return how many generated on which host, and by how much times between hosts may be wrong.

    `target`: the host of its own that it had, and by how much its clock was ahead; NaN where it had none.
    """
    clocks: list[Generator | TargetHost] = [*generators, *([target] if target else [])]
    counts = Counter(each.host for each in generators)
    return {
        "generators": ", ".join(f"{count} on {host}" for host, count in sorted(counts.items())),
        "clock_uncertainty_ms": max((each.uncertainty_ns for each in clocks), default=0) / 1e6,
        "target_clock_ahead_s": target.offset_ns / 1e9 if target else np.nan,
    }
