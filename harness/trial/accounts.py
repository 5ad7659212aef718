"""The accounts of a trial about to be sealed: which fate each task met, and the tables that show it.

What the generator wrote is read, the rest is written.
"""

from collections import Counter
from collections.abc import Mapping, Set
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.drills.fates import Evidence, Rows, Verdicts, fates
from results.columns import EVENTS
from results.tables import Columns, read_table, write_table
from results.terms import GIVEN_UP, Look, Moment, Outcome

Places = Mapping[str, set[int]]
"""task ids by the broker's key at which they stand"""
Held = Mapping[Look, Places]
"""what each look saw"""
FAULTY = (Outcome.REJECTED, Outcome.REFUSED, Outcome.UNKNOWN)


def account_for_tasks(
    staged: Path, events: np.ndarray, held: Held, resources: Columns, evidence: Evidence, *, fanout: bool
) -> tuple[Verdicts, dict[str, int]]:
    """Give every task its fate and write the harness's tables.

    Returns the verdicts, and the number of rows of every table by its name. Without any look into the broker
    there is no table `holdings`.
    """
    rows = {name: read_table(staged, name).num_rows for name in ("requests", "bystanders")}
    requests = read_table(staged, "requests")
    columns = {name: np.asarray(requests[name].to_numpy()) for name in ("task_id", "outcome", "sent_ns")}
    asked = Rows.of(columns, fanout=fanout)
    ours = set(asked.task_id.tolist())
    held = {look: {place: ids & ours for place, ids in found.items()} for look, found in held.items()}
    named = {look: np.array(sorted(set().union(*found.values())), np.uint64) for look, found in held.items()}
    rows["events"] = write_table(staged, "events", {name: events[name] for name in EVENTS})
    rows["resources"] = write_table(staged, "resources", resources)
    if held:
        rows["holdings"] = write_table(staged, "holdings", _holdings(held))
    return fates(asked, events, named, evidence), rows


def spread(events: np.ndarray, web: Set[int]) -> list[int]:
    """Return how many tasks each web process accepted, the busiest first; `web` are those that could."""
    accepted = Counter(events["pid"][events["moment"] == Moment.ACCEPTED].tolist())
    return sorted((accepted[pid] for pid in web | accepted.keys()), reverse=True)


def failed_requests(requests: pa.Table, drained_ns: int, slo_ms: float) -> int:
    """Count the tasks of a trial that were turned away or whose request went wrong.

    One that had waited for longer than `slo_ms` when the client gave up is none of them: a target that does
    not answer is blocked. The client gave up at `drained_ns` at the latest.
    """
    outcome, due_ns = (np.asarray(requests[name].to_numpy()) for name in ("outcome", "due_ns"))
    given_up = np.isin(requests["error"].to_pylist(), list(GIVEN_UP))
    slow = (outcome == Outcome.UNKNOWN) & given_up & (drained_ns - due_ns > slo_ms * 1e6)
    return int(np.count_nonzero(np.isin(outcome, FAULTY) & ~slow))


def _holdings(held: Held) -> Columns:
    rows = [
        (task_id, int(look), place)
        for look, found in held.items()
        for place, ids in found.items()
        for task_id in sorted(ids)
    ]
    task_ids, seen, places = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "task_id": np.array(task_ids, np.uint64),
        "look": np.array(seen, np.int8),
        "place": np.array(places, object),
    }
