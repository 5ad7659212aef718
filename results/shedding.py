"""What is known of arrivals that were shed: how long the requests before them had waited by then."""

import numpy as np
import numpy.typing as npt

from results.terms import NEVER

Ints = npt.NDArray[np.int64]


def waited_ns(due_ns: Ints, sent_ns: Ints, in_flight: int | Ints) -> Ints:
    """Return, for each arrival that was shed, how long the last `in_flight` requests had taken to be sent.

    With N in flight that is by Little's law what each of them waits, N / rate. The oldest has waited as long
    or longer, so that one that hangs does not make the others slow. `sent_ns` is of all requests that count,
    `NEVER` where one was not sent.
    """
    sent = np.sort(sent_ns[sent_ns != NEVER])
    if not len(sent):
        return np.zeros(len(due_ns), np.int64)
    before = np.searchsorted(sent, due_ns, side="right")
    first = np.clip(before - in_flight, 0, len(sent) - 1)
    waited: Ints = np.where(np.asarray(in_flight) > 0, np.maximum(due_ns - sent[first], 0), 0)
    return waited
