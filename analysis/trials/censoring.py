"""What is known of requests that were never answered: for how long they had waited at the least."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from results.shedding import waited_ns
from results.terms import GIVEN_UP, NEVER, Outcome

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FAR: Final = np.iinfo(np.int64).max


def bounds_ms(requests: pa.Table, drained_ns: int) -> Floats:
    """Return for how long each request of one stream had waited if it was not answered.

    Meaningless of the others. The client gave up at `drained_ns`. What was shed never waited by itself: it
    counts with what requests of its own stream that were in flight by then had waited.
    """
    due_ns, sent_ns, outcome = (_column(requests, name) for name in ("due_ns", "sent_ns", "outcome"))
    bounds = np.maximum(drained_ns - due_ns, 0)
    shed = outcome == Outcome.SHED
    if shed.any():
        in_flight = _in_flight(due_ns[shed], sent_ns, _left_ns(requests))
        bounds[shed] = waited_ns(due_ns[shed], sent_ns, in_flight)
    return bounds / 1e6


def by_stream(bystanders: pa.Table, drained_ns: int) -> Floats:
    """Return the same of the requests of several streams."""
    stream = _column(bystanders, "stream")
    found = np.zeros(len(stream))
    for each in np.unique(stream):
        own: Mask = stream == each
        found[own] = bounds_ms(bystanders.filter(pa.array(own)), drained_ns)
    return found


def _left_ns(requests: pa.Table) -> Ints:
    """Return when each request was in flight no more; of one that went wrong nobody knows: at once."""
    sent_ns, replied_ns, outcome = (_column(requests, name) for name in ("sent_ns", "replied_ns", "outcome"))
    waited = (outcome == Outcome.UNKNOWN) & np.isin(requests["error"].to_pylist(), list(GIVEN_UP))
    return np.where(waited, _FAR, np.where(replied_ns == NEVER, sent_ns, replied_ns))


def _in_flight(at_ns: Ints, sent_ns: Ints, left_ns: Ints) -> Ints:
    """Return how many requests had been sent and not left at each moment."""
    sent = sent_ns != NEVER
    came, gone = (np.searchsorted(np.sort(each[sent]), at_ns, side="right") for each in (sent_ns, left_ns))
    return np.asarray(came - gone)


def _column(table: pa.Table, name: str) -> Ints:
    return np.asarray(table[name].to_numpy())
