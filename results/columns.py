"""The columns of every table and the fields of the binary records.

Times named `*_ns` are `CLOCK_MONOTONIC` nanoseconds of the host whose `boot_id` the trial's document names;
`NEVER` stands for a moment that did not come.
"""

from typing import Final

import numpy as np

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
    "role": "string",  # web, worker, broker, generator, harness, other, steal
    "processes": "int16",
    "cpu_cores": "float64",  # mean number of cores used since the sample before
    "rss_bytes": "int64",
    "queue_depth": "int64",  # tasks waiting in the broker; NEVER for other roles
    "loop_lag_ns": "int64",  # worst lateness of the event loop since the sample before; web only
    "pool_in_use": "int32",  # borrowed AnyIO tokens; web only
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

LEDGER_RECORD: Final = np.dtype(
    [("task_id", "<u8"), ("at_ns", "<i8"), ("pid", "<u4"), ("attempt", "<u2"), ("moment", "u1"), ("_", "u1")]
)
"""One moment in a process's binary ledger file: 24 bytes."""

PROBE_RECORD: Final = np.dtype(
    [("at_ns", "<i8"), ("loop_lag_ns", "<i8"), ("pool_in_use", "<i4"), ("_", "<i4")]
)
"""One look of the web process at itself: 24 bytes, in `probes-PID.bin` beside the ledger."""
