"""What became of every scheduled request: arrays allocated before the load, one row each, none missing."""

from array import array
from collections.abc import Mapping, Sequence

import numpy as np

from loadtests.openloop.schedule import Schedule
from loadtests.openloop.spool import column, stretches
from results.terms import NEVER, Outcome, Stream

Rows = Mapping[str, np.ndarray]

KINDS = {
    "due_ns": "int64",
    "stream": "int8",
    "arrival": "int32",
    "step": "int16",
    "duration_ms": "float64",
    "sent_ns": "int64",
    "replied_ns": "int64",
    "status": "int16",
    "outcome": "int8",
    "error": "int16",
}
"""Columns of `Rows` and their dtypes; `error` indexes the recorder's `errors`."""


class Recorder:
    """Rows of one process, indexed by position in its schedule; written to by plain item assignment.

    Until `settled`, a request counts as sent without an answer (`Outcome.UNKNOWN`).
    """

    def __init__(self, schedule: Schedule) -> None:
        rows = len(schedule)
        self.schedule = schedule
        self.sent_ns = array("q", [NEVER]) * rows
        self.replied_ns = array("q", [NEVER]) * rows
        self.status = array("h", [0]) * rows
        self.outcome = array("b", [Outcome.UNKNOWN]) * rows
        self.error = array("h", [0]) * rows
        self.errors: dict[str, int] = {"": 0}

    def settle(self, row: int, outcome: int, status: int, replied_ns: int, error: str) -> None:
        """Note how a request ended; `replied_ns` is NEVER where no answer came."""
        self.outcome[row] = outcome
        self.status[row] = status
        self.replied_ns[row] = replied_ns
        if error:
            self.error[row] = self.errors.setdefault(error, len(self.errors))

    def rows(self, start_ns: int, until: int | None = None) -> Rows:
        """Return the first `until` rows (all by default) as columns; `start_ns` is the schedule's start."""
        schedule = self.schedule
        columns = {
            "due_ns": schedule.due_ns + start_ns,
            "stream": schedule.stream,
            "arrival": schedule.arrival,
            "step": schedule.step,
            "duration_ms": schedule.duration_ms,
            "sent_ns": np.frombuffer(self.sent_ns, np.int64),
            "replied_ns": np.frombuffer(self.replied_ns, np.int64),
            "status": np.frombuffer(self.status, np.int16),
            "outcome": np.frombuffer(self.outcome, np.int8),
            "error": np.frombuffer(self.error, np.int16),
        }
        return {name: values[:until] for name, values in columns.items()}


def empty_rows() -> Rows:
    """Return no rows, with every column."""
    return {name: np.zeros(0, kind) for name, kind in KINDS.items()}


def merge(parts: Sequence[tuple[Rows, Sequence[str]]]) -> tuple[Rows, list[str]]:
    """Join the rows of several processes, in order of due time, with one common list of error texts."""
    texts = [""]
    joined: list[Rows] = [empty_rows()]
    for rows, errors in parts:
        texts += [text for text in errors if text not in texts]
        codes = np.array([texts.index(text) for text in errors], np.int16)
        joined.append({**rows, "error": codes[rows["error"]]})
    order = _in_order(joined)
    return {name: _gathered([rows[name] for rows in joined], order) for name in KINDS}, texts


def _in_order(parts: Sequence[Rows]) -> np.ndarray:
    """Return the order by due time, then stream, then arrival; each part is nearly in it, which is quick."""
    due_ns = np.concatenate([rows["due_ns"] for rows in parts])
    order = np.argsort(due_ns, kind="stable")
    level = np.diff(due_ns[order]) == 0
    tied = np.flatnonzero(np.append(level, False) | np.append(False, level))
    if len(tied):
        among = order[tied]
        stream, arrival = (
            np.concatenate([rows[name] for rows in parts])[among] for name in ("stream", "arrival")
        )
        order[tied] = among[np.lexsort((arrival, stream, due_ns[among]))]
    return order


def _gathered(parts: Sequence[np.ndarray], order: np.ndarray) -> np.ndarray:
    """Return one column of all parts in that order."""
    joined = np.concatenate(parts)
    gathered = column(len(order), joined.dtype.str)
    for stretch in stretches(len(order)):
        gathered[stretch] = joined[order[stretch]]
    return gathered


def task_ids(arrival: np.ndarray, tag: int) -> np.ndarray:
    """Return the uint64 ids of task arrivals in a run of that 32-bit tag; divisible by 4, for fan-outs."""
    return (np.uint64(tag) << np.uint64(32)) | ((arrival.astype(np.uint64) + np.uint64(1)) << np.uint64(2))


def tables(rows: Rows, errors: Sequence[str], tag: int) -> dict[str, dict[str, np.ndarray]]:
    """Return the tables `requests` and `bystanders` in the columns of `results.columns`."""
    shared = ("arrival", "step", "due_ns", "sent_ns", "replied_ns", "status", "outcome")
    texts = np.array(errors, object)

    def select(mask: np.ndarray) -> dict[str, np.ndarray]:
        return {name: rows[name][mask] for name in shared} | {"error": texts[rows["error"][mask]]}

    of_tasks = rows["stream"] == Stream.TASKS
    requests, bystanders = select(of_tasks), select(~of_tasks)
    requests["task_id"] = task_ids(requests["arrival"], tag)
    requests["duration_ms"] = rows["duration_ms"][of_tasks]
    bystanders["stream"] = rows["stream"][~of_tasks]
    return {"requests": requests, "bystanders": bystanders}
