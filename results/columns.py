"""The columns of every table and the fields of the binary records.

Times named `*_ns` are `CLOCK_MONOTONIC` nanoseconds of the host whose `boot_id` the trial's document names;
`NEVER` stands for a moment that did not come.
"""

from typing import Final

import numpy as np

from results.terms import LONGEST_MS, NEVER, Look, Moment, Outcome, Stream

REQUESTS: Final[dict[str, str]] = {
    "arrival": "int32",  # position in the schedule, from 0
    "task_id": "uint64",
    "step": "int16",  # index into Load.steps
    "duration_ms": "float64",
    "due_ns": "int64",
    "sent_ns": "int64",
    "replied_ns": "int64",
    "status": "int16",  # HTTP status; 0 where no answer came
    "outcome": "int8",  # Outcome
    "error": "string",  # why there was no answer; empty where there was one
}
BYSTANDERS: Final[dict[str, str]] = {
    "stream": "int8",  # Stream
    "arrival": "int32",
    "step": "int16",
    "due_ns": "int64",
    "sent_ns": "int64",
    "replied_ns": "int64",
    "status": "int16",
    "outcome": "int8",
    "error": "string",
}
EVENTS: Final[dict[str, str]] = {
    "task_id": "uint64",
    "moment": "int8",  # Moment
    "at_ns": "int64",
    "pid": "int32",
    "attempt": "int16",  # from 1; 0 for the web process's own moments
}
RESOURCES: Final[dict[str, str]] = {
    "at_ns": "int64",
    "role": "string",  # web, worker, broker, stored, sink, generator, harness, other, steal
    "processes": "int16",
    "cpu_cores": "float64",  # mean number of cores used since the sample before
    "rss_bytes": "int64",
    "queue_depth": "int64",  # tasks waiting in the broker; NEVER for other roles
    "loop_lag_ns": "int64",  # worst lateness of the event loop since the sample before; web only
    "pool_in_use": "int32",  # borrowed AnyIO tokens, of the fullest pool; web only
}
HOLDINGS: Final[dict[str, str]] = {
    "task_id": "uint64",
    "look": "int8",  # Look
    "place": "string",  # the broker's key in which the task stood
}
TABLES: Final[dict[str, dict[str, str]]] = {
    "requests": REQUESTS,
    "bystanders": BYSTANDERS,
    "events": EVENTS,
    "resources": RESOURCES,
    "holdings": HOLDINGS,
}

FARTHEST_NS: Final = 2**61
"""73 years after the boot: sums and differences of such moments stay within 64 bits"""
_MOMENT: Final = (NEVER, FARTHEST_NS)
_COUNT: Final = (NEVER, 2**53)
RANGES: Final[dict[str, tuple[float, float]]] = {
    "arrival": (0, 2**31 - 1),
    "step": (0, 2**15 - 1),
    "duration_ms": (0, LONGEST_MS),
    "outcome": (min(Outcome), max(Outcome)),
    "stream": (min(Stream), max(Stream)),
    "moment": (min(Moment), max(Moment)),
    "look": (min(Look), max(Look)),
    "attempt": (0, 2**15 - 1),
    "processes": (0, 2**15 - 1),
    "cpu_cores": (-1e6, 1e6),
    **dict.fromkeys(("due_ns", "sent_ns", "replied_ns", "at_ns", "loop_lag_ns"), _MOMENT),
    **dict.fromkeys(("rss_bytes", "queue_depth", "pool_in_use"), _COUNT),
}
"""The least and the greatest value of a column; what is not named may be whatever its type holds."""

LEDGER_RECORD: Final = np.dtype(
    [("task_id", "<u8"), ("at_ns", "<i8"), ("pid", "<u4"), ("attempt", "<u2"), ("moment", "u1"), ("_", "u1")]
)
"""One moment in a process's binary ledger file: 24 bytes."""

PROBE_RECORD: Final = np.dtype(
    [("at_ns", "<i8"), ("loop_lag_ns", "<i8"), ("pool_in_use", "<i4"), ("_", "<i4")]
)
"""One look of the web process at itself: 24 bytes, in `probes-PID-NONCE.bin` beside the ledger."""
