"""The moments of every task, recorded by the process in which they happen."""

import os
from pathlib import Path

import numpy as np

from blockpoint.observe import PREFIX, Moments
from results.columns import LEDGER_RECORD
from results.ledger_file import read_ledger
from results.terms import Moment


class Ledger(Moments):
    """Appends moments to this process's own file, and reads those of all; a no-op where no folder is set."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder)
        self.folder = folder

    def state(self, task_id: int) -> str | None:
        """Return how far the task has come according to all processes' files; None if unheard of.

        Reads every file: O(events), about 10 ms a million.
        """
        moments = self._moments(task_id)
        if Moment.FINISHED in moments:
            return "finished"
        runs = [moment for moment in moments if moment >= Moment.STARTED]
        if runs:
            return "failed" if runs[-1] is Moment.FAILED else "started"
        return "accepted" if moments else None

    def starts(self, task_id: int) -> int:
        """Return how often the task was started, by whichever process; reads like `state`."""
        return self._moments(task_id).count(Moment.STARTED)

    def _moments(self, task_id: int) -> list[Moment]:
        """Return what all processes recorded of the task, in order of time."""
        if self.folder is None:
            return []
        files = [read_ledger(path) for path in self.folder.glob(f"{PREFIX}-*.bin")]
        mine = [events[events["task_id"] == np.uint64(task_id)] for events in files]
        events = np.sort(np.concatenate(mine), order="at_ns") if mine else np.empty(0, LEDGER_RECORD)
        return [Moment(int(moment)) for moment in events["moment"]]


_ledger: Ledger | None = None


def ledger() -> Ledger:
    """Return this process's ledger, in the folder that `BLOCKPOINT_LEDGER` names."""
    global _ledger  # noqa: PLW0603 -- one a process, opened once by whichever task comes first
    if _ledger is None:
        folder = os.environ.get("BLOCKPOINT_LEDGER")
        _ledger = Ledger(Path(folder) if folder else None)
    return _ledger
