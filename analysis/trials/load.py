"""From a sealed trial to frames: one row a task with one column a moment, each interval named once."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analysis.trials.censoring import bounds_ms, by_stream
from results.errors import BlockpointError
from results.load import Load
from results.schema import Manifest, Subject, Trial
from results.store import Campaign, open_campaign
from results.terms import FANOUT_PARTS, NEVER, REQUEST, Moment, Outcome
from results.text import named

FANOUT: Final = "fanout"
MOMENTS: Final = ("received", "accepted", "started", "finished", "failed")
_FAR: Final = np.iinfo(np.int64).max

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A campaign with its sealed trials; each trial's tables are read when asked for."""

    campaign: Campaign
    trials: list[Trial]

    @property
    def manifest(self) -> Manifest:
        """The conditions of the campaign."""
        return self.campaign.manifest

    def frames(self) -> Iterator["Frames"]:
        """Yield the frames of one trial after the other; memory holds one, and the next, read meanwhile."""
        with ThreadPoolExecutor(1) as reader:
            trials = iter(self.trials)
            coming = deque(reader.submit(read_trial, self.campaign, trial) for trial in islice(trials, 1))
            while coming:
                frames = coming.popleft().result()
                coming.extend(reader.submit(read_trial, self.campaign, trial) for trial in islice(trials, 1))
                yield frames


@dataclass(frozen=True)
class Frames:
    """One trial's tables, joined.

    `tasks`: a row a task that was due (a fan-out's request has `FANOUT_PARTS`), with `arrival`, `task_id`,
    `step`, `duration_ms`, `outcome`, the moments `due_ns sent_ns replied_ns received_ns accepted_ns
    started_ns finished_ns failed_ns` (int64, `NEVER` where one did not come; of several attempts the first
    start and the last end), `attempts`, the intervals of `intervals`, and `bound_ms` of `censoring`.
    `bystanders` and `resources`: the rows as recorded; bystanders have `latency_ms` and `bound_ms` as well.
    """

    trial: Trial
    subject: Subject
    tasks: pd.DataFrame
    bystanders: pd.DataFrame
    resources: pd.DataFrame


def load_campaign(folder: Path) -> Measured:
    """Open a campaign; raises BlockpointError where it is missing, damaged or has no sealed trial."""
    campaign = open_campaign(folder)
    trials = campaign.trials()
    if not trials:
        raise BlockpointError(f"{named(folder)}: no sealed trial yet; continue it with --resume")
    known = {subject.key for subject in campaign.manifest.subjects}
    for trial in trials:
        if trial.plan.subject not in known:
            raise BlockpointError(
                f"{named(folder)}: trial {trial.plan.trial_id} measured {trial.plan.subject!r}, "
                "of which the manifest says nothing"
            )
    return Measured(campaign, trials)


def read_trial(campaign: Campaign, trial: Trial) -> Frames:
    """Return one trial's frames.

    Raises BlockpointError where a table is damaged, clocks differ, or the rows are not those that the
    trial's document counts.
    """
    if trial.boot_id != trial.load.boot_id:
        raise BlockpointError(
            f"trial {trial.plan.trial_id}: its client and its target ran on hosts whose clocks differ, "
            "so that their moments cannot be joined"
        )
    requests, others = campaign.table(trial, "requests"), campaign.table(trial, "bystanders")
    check_rows(trial, requests, others)
    requests, others = (_expected(table, trial) for table in (requests, others))
    tasks = _tasks(requests, trial.load)
    tasks |= _moments(tasks["task_id"], tasks.pop("request_id"), campaign.table(trial, "events"))
    tasks |= intervals(tasks)
    bystanders = _columns(others)
    bystanders["bound_ms"] = by_stream(others, trial.load.drained_ns)
    bystanders["latency_ms"] = _ms(bystanders["due_ns"], bystanders["replied_ns"])
    resources = _columns(campaign.table(trial, "resources"))
    campaign.check_others(trial, "requests", "bystanders", "events", "resources")
    return Frames(
        trial=trial,
        subject=campaign.manifest.subject(trial.plan.subject),
        tasks=pd.DataFrame(tasks, copy=False),
        bystanders=pd.DataFrame(bystanders, copy=False),
        resources=pd.DataFrame(resources, copy=False),
    )


def _expected(requests: pa.Table, trial: Trial) -> pa.Table:
    """Return the requests of a service with those that it answered otherwise than expected as unanswered."""
    if trial.load.kind != REQUEST.name:
        return requests
    outcome = requests["outcome"].to_numpy()
    told = np.where(outcome == Outcome.REJECTED, Outcome.UNKNOWN, outcome).astype(outcome.dtype)
    return requests.set_column(requests.schema.get_field_index("outcome"), "outcome", pa.array(told))


def check_rows(trial: Trial, requests: pa.Table, bystanders: pa.Table) -> None:
    """Raise BlockpointError where rows and document of a trial tell of different loads."""
    load = trial.load
    outcome = requests["outcome"].to_numpy()
    counted = [int((outcome == each).sum()) for each in Outcome]
    if [load.accepted, load.rejected, load.refused, load.unknown, load.shed] != counted or (
        load.scheduled != len(outcome)
    ):
        raise BlockpointError(f"trial {trial.plan.trial_id}: its rows are not those that trial.json counts")
    for table in (requests, bystanders):
        if len(table) and table["step"].to_numpy().max() >= len(load.steps):
            raise BlockpointError(f"trial {trial.plan.trial_id}: a row is of a step that it had not")


def intervals(tasks: dict[str, Any]) -> dict[str, Floats]:
    """Return the named intervals of tasks' moments in ms, NaN where one of its ends did not come.

    `slip_ms` sent - due, `accept_ms` replied - due, `queue_wait_ms` started - accepted (never below 0: a
    worker may start before submit returns), `service_ms` finished - started, `completion_ms` finished - due.
    """
    return {
        "slip_ms": _ms(tasks["due_ns"], tasks["sent_ns"]),
        "accept_ms": _ms(tasks["due_ns"], tasks["replied_ns"]),
        "queue_wait_ms": np.maximum(_ms(tasks["accepted_ns"], tasks["started_ns"]), 0.0),
        "service_ms": _ms(tasks["started_ns"], tasks["finished_ns"]),
        "completion_ms": _ms(tasks["due_ns"], tasks["finished_ns"]),
    }


def _tasks(requests: pa.Table, load: Load) -> dict[str, Any]:
    fanout = load.scenario == FANOUT
    columns = _columns(requests.drop_columns(["status", "error"]))
    columns["bound_ms"] = bounds_ms(requests, load.drained_ns)
    if fanout:
        columns = {name: np.repeat(values, FANOUT_PARTS) for name, values in columns.items()}
    columns["request_id"] = columns["task_id"]
    if fanout:
        part = np.arange(len(columns["task_id"]), dtype=np.uint64) % np.uint64(FANOUT_PARTS)
        columns["task_id"] = columns["task_id"] + part + np.uint64(1)
    return columns


def _moments(
    task_id: npt.NDArray[np.uint64], request_id: npt.NDArray[np.uint64], events: pa.Table
) -> dict[str, Any]:
    """Return a column a moment, and `attempts`; events of tasks that were never sent are left out.

    A moment recorded of the request as a whole stands for those of its parts that have none.
    """
    ids = events.column("task_id").to_numpy()
    moment = events.column("moment").to_numpy()
    at = events.column("at_ns").to_numpy()
    order = np.argsort(task_id, kind="stable")
    ordered = task_id[order]
    columns: dict[str, Any] = {}
    for name in MOMENTS:
        chosen = moment == Moment[name.upper()]
        rows, known = _rows(ids[chosen], ordered, order)
        last = name in {"finished", "failed"}
        columns[f"{name}_ns"] = _extreme(len(task_id), rows, at[chosen][known], last=last)
        if name == "started":
            columns["attempts"] = np.bincount(rows, minlength=len(task_id)).astype(np.int16)
        if name in {"received", "accepted"} and request_id is not task_id:
            _fill(columns[f"{name}_ns"], request_id, ids[chosen], at[chosen])
    return columns


def _rows(
    ids: npt.NDArray[np.uint64], ordered: npt.NDArray[np.uint64], order: Ints
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    if not len(ordered):
        return np.empty(0, np.int64), np.zeros(len(ids), bool)
    place = np.minimum(np.searchsorted(ordered, ids), len(ordered) - 1)
    known = ordered[place] == ids
    return order[place[known]], known


def _extreme(size: int, rows: Ints, at: Ints, *, last: bool) -> Ints:
    if last:
        column = np.full(size, NEVER, np.int64)
        np.maximum.at(column, rows, at)
        return column
    column = np.full(size, _FAR, np.int64)
    np.minimum.at(column, rows, at)
    column[column == _FAR] = NEVER
    return column


def _fill(column: Ints, request_id: npt.NDArray[np.uint64], ids: npt.NDArray[np.uint64], at: Ints) -> None:
    missing = np.flatnonzero(column == NEVER)
    first = pd.Series(at).groupby(ids).min()
    column[missing] = first.reindex(request_id[missing]).fillna(NEVER).to_numpy(np.int64)


def _columns(table: pa.Table) -> dict[str, Any]:
    return {
        field.name: column.to_pandas() if pa.types.is_dictionary(field.type) else column.to_numpy()
        for field, column in zip(table.schema, table.columns, strict=True)
    }


def _ms(start: Ints, end: Ints) -> Floats:
    span = (end - start) / 1e6
    span[(start == NEVER) | (end == NEVER)] = np.nan
    return span
