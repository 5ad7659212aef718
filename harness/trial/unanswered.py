"""Which requests without a good answer are a fault, and which only say that the target is slow."""

import numpy as np
import pyarrow as pa

from results.terms import GIVEN_UP, Outcome

FAULTY = (Outcome.REJECTED, Outcome.REFUSED, Outcome.UNKNOWN)


def faults(requests: pa.Table, drained_ns: int, slo_ms: float) -> int:
    """Count the tasks of a trial that were turned away or whose request went wrong.

    One that had waited for longer than `slo_ms` when the client gave up is none of them: a target that does
    not answer is blocked. The client gave up at `drained_ns` at the latest.
    """
    outcome, due_ns = (np.asarray(requests[name].to_numpy()) for name in ("outcome", "due_ns"))
    given_up = np.isin(requests["error"].to_pylist(), list(GIVEN_UP))
    slow = (outcome == Outcome.UNKNOWN) & given_up & (drained_ns - due_ns > slo_ms * 1e6)
    return int(np.count_nonzero(np.isin(outcome, FAULTY) & ~slow))
