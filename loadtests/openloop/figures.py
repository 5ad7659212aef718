"""From the rows of a run to its figures: steps, counts, percentiles."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from loadtests.openloop.faults import CLOSED_EARLY
from loadtests.openloop.recorder import Rows
from loadtests.openloop.schedule import PlannedStep, boundaries_ns
from results.load import Step
from results.percentile import percentile
from results.shedding import waited_ns
from results.terms import NEVER, Outcome, Stream

LATE_SHARE = 0.002
"""Of the schedule's length: how late a request at its very end may be and still count as sent within it."""


def measured_steps(planned: Sequence[PlannedStep], start_ns: int, end_ns: int, warm_up: float) -> list[Step]:
    """Return the steps of a run in absolute time; an interruption at `end_ns` cuts them short."""
    at = [start_ns + offset for offset in boundaries_ns(planned)]
    return [
        Step(
            rate_per_s=step.rate_per_s,
            duration_ms=step.duration_ms,
            from_ns=begin,
            measure_from_ns=round(begin + warm_up * (end - begin)),
            to_ns=min(end, end_ns),
        )
        for step, begin, end in zip(planned, at, at[1:], strict=False)
        if begin < end_ns
    ]


def measured(rows: Rows, run: Sequence[Step]) -> np.ndarray:
    """Return which rows are due after their step's warm-up."""
    begin = np.array([step.measure_from_ns for step in run], np.int64)
    if not len(begin):
        return np.zeros(len(rows["due_ns"]), bool)
    return np.asarray(rows["due_ns"] >= begin[rows["step"]])


def percentiles_ms(ns: np.ndarray, *ps: float) -> list[float]:
    """Return percentiles in ms of values in ns; NaN where there are none."""
    return [percentile(ns, p) / 1e6 for p in ps]


def slip_ns(rows: Rows) -> np.ndarray:
    """Return how late each sent request was sent."""
    sent = rows["sent_ns"] != NEVER
    return np.asarray((rows["sent_ns"] - rows["due_ns"])[sent])


def latency_ns(rows: Rows, stream: Stream, where: np.ndarray) -> np.ndarray:
    """Return reply minus due of the accepted requests of a stream among the rows in `where`."""
    taken = where & (rows["stream"] == stream) & (rows["outcome"] == Outcome.ACCEPTED)
    return np.asarray((rows["replied_ns"] - rows["due_ns"])[taken])


def not_shed(rows: Rows) -> Rows:
    """Return the rows of the requests that were not shed."""
    kept = rows["outcome"] != Outcome.SHED
    if kept.all():
        return rows
    return {name: column[kept] for name, column in rows.items()}


def shed_wait_ms(rows: Rows, in_flight: int, part: np.ndarray) -> float:
    """Return how long requests in flight had waited, at the least, when another was shed.

    0 where none was shed among the rows of `part`: what a run does not measure proves nothing of it.
    """
    shed = rows["outcome"] == Outcome.SHED
    if not (shed & part).any():
        return 0.0
    return float(waited_ns(rows["due_ns"][shed], rows["sent_ns"], in_flight).min()) / 1e6


def achieved_ratio(rows: Rows, start_ns: int, end_ns: int) -> float:
    """Return the share of the due requests that were sent before the schedule's end; 1 where none was due."""
    if not len(rows["due_ns"]):
        return 1.0
    limit_ns = end_ns + LATE_SHARE * (end_ns - start_ns)
    in_time = (rows["sent_ns"] != NEVER) & (rows["sent_ns"] <= limit_ns)
    return float(np.count_nonzero(in_time)) / len(in_time)


def outcome_counts(rows: Rows) -> dict[Outcome, int]:
    """Return how many tasks ended in each way."""
    of_tasks = rows["outcome"][rows["stream"] == Stream.TASKS]
    return {outcome: int(np.count_nonzero(of_tasks == outcome)) for outcome in Outcome}


def failures(rows: Rows, errors: Sequence[str]) -> dict[str, int]:
    """Count the requests of all streams without a 2xx answer, by stream and cause.

    Left out are those shed, and those whose answer the client was asked not to wait for.
    """
    bad = (rows["outcome"] != Outcome.ACCEPTED) & (rows["outcome"] != Outcome.SHED)
    if CLOSED_EARLY in errors:
        bad &= rows["error"] != list(errors).index(CLOSED_EARLY)
    counted: Counter[str] = Counter()
    for stream, status, error in zip(
        rows["stream"][bad], rows["status"][bad], rows["error"][bad], strict=True
    ):
        cause = errors[error] or f"status {status}"
        counted[f"{Stream(stream).label}: {cause}"] += 1
    return dict(counted)
