"""How late something came: the one rule of every latency, that of the due time."""

import numpy as np
import numpy.typing as npt

from results.terms import NEVER

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def latency_ms(due_ns: Ints, ended_ns: Ints, bound_ms: Floats | float = np.nan) -> Floats:
    """Return ended - due in ms; of what never ended the bound: how long it is known to have waited."""
    return np.where(ended_ns == NEVER, bound_ms, (ended_ns - due_ns) / 1e6)
