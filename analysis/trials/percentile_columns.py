"""Percentiles of a sample in which something never ended, as columns of a row of the summary."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analysis.stats import Percentile, censored_percentile

Floats = npt.NDArray[np.float64]

PERCENTILES: Final = (50, 99)


def percentile_columns(name: str, values_ms: Floats, bounds_ms: Floats) -> dict[str, Any]:
    """Return each percentile, and beside it whether it may be higher, as `bounds_ms` are lower bounds."""
    columns: dict[str, Any] = {}
    for p in PERCENTILES:
        found: Percentile = censored_percentile(values_ms, bounds_ms, p)
        columns |= {f"{name}_p{p}_ms": found.value, f"{name}_p{p}_at_least": found.at_least}
    return columns
