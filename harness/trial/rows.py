"""The tables of a trial about to be sealed: what the generator wrote is read, the rest is written."""

from pathlib import Path

import numpy as np

from analysis.drills.fates import Rows
from harness.trial.holdings import Held, columns_of
from results.columns import EVENTS
from results.tables import Columns, read_table, write_table


def asked_of(staged: Path, *, fanout: bool) -> Rows:
    """Return the tasks that the client asked for, by the table `requests`."""
    requests = read_table(staged, "requests")
    columns = {name: np.asarray(requests[name].to_numpy()) for name in ("task_id", "outcome", "sent_ns")}
    return Rows.of(columns, fanout=fanout)


def write_rows(staged: Path, events: np.ndarray, held: Held, resources: Columns) -> dict[str, int]:
    """Write the tables that are the harness's; returns the number of rows of every table by its name.

    Without any look into the broker there is no table `holdings`.
    """
    rows = {name: read_table(staged, name).num_rows for name in ("requests", "bystanders")}
    rows["events"] = write_table(staged, "events", {name: events[name] for name in EVENTS})
    rows["resources"] = write_table(staged, "resources", resources)
    if held:
        rows["holdings"] = write_table(staged, "holdings", columns_of(held))
    return rows
