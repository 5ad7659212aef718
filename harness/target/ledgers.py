"""Reads what a target's processes record while they run."""

from collections import Counter
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

from results.columns import LEDGER_RECORD, PROBE_RECORD
from results.ledger_file import ledger_slots, read_ledger
from results.terms import Moment
from targets.tally import Tally, without_gap


class LedgerReader(Tally):
    """Follows all ledger files of a folder from a point in time on, at which no task is under way."""

    def __init__(self, folder: Path, max_attempts: int, probes: AbstractSet[int] = frozenset()) -> None:
        super().__init__(folder, max_attempts)
        self._since = {path: without_gap(ledger_slots(path)).nbytes for path in self._files()}
        self._counted = dict(self._since)
        self._probes = probes

    def left(self) -> set[int]:
        """Return the tasks that were accepted and have neither finished nor failed for good; O(events)."""
        events = self.events()
        moment = events["moment"]
        accepted = events["task_id"][moment == Moment.ACCEPTED]
        return set(np.setdiff1d(accepted, events["task_id"][self.over(events)]).tolist())

    def running(self) -> dict[int, int]:
        """Return the process in which each task runs that has started and not ended, by the task's id."""
        under_way: dict[int, int] = {}
        for event in np.sort(self.events(), order="at_ns"):
            if event["moment"] == Moment.STARTED:
                under_way[int(event["task_id"])] = int(event["pid"])
            elif event["moment"] > Moment.STARTED:
                under_way.pop(int(event["task_id"]), None)
        return under_way

    def finished_ids(self) -> set[int]:
        """Return the ids of the tasks that have finished since the reader was made, probes among them."""
        events = self._read()
        return set(events["task_id"][events["moment"] == Moment.FINISHED].tolist())

    def moments(self, task_id: int) -> Counter[Moment]:
        """Count what has been recorded of a task, a probe too, since the reader was made."""
        events = self._read()
        return Counter(map(Moment, events["moment"][events["task_id"] == np.uint64(task_id)].tolist()))

    def events(self) -> np.ndarray:
        """Return every record since the reader was made but the probes', as an array of `LEDGER_RECORD`."""
        events = self._read()
        return events[~np.isin(events["task_id"], np.array(sorted(self._probes), np.uint64))]

    def _read(self) -> np.ndarray:
        parts = [read_ledger(path, self._since.get(path, 0)) for path in self._files()]
        return np.concatenate(parts) if parts else np.empty(0, LEDGER_RECORD)


def looking_pids(folder: Path) -> set[int]:
    """Return the web processes, living or not, that have begun to look at themselves."""
    return {int(path.stem.split("-")[1]) for path in folder.glob("probes-*.bin")}


def read_probes(folder: Path, since_ns: int) -> np.ndarray:
    """Return the web processes' looks at themselves since `since_ns`, as an array of `PROBE_RECORD`."""
    parts = []
    for path in sorted(folder.glob("probes-*.bin")):
        data = path.read_bytes()
        parts.append(np.frombuffer(data[: len(data) - len(data) % PROBE_RECORD.itemsize], PROBE_RECORD))
    probes = np.concatenate(parts) if parts else np.empty(0, PROBE_RECORD)
    return probes[(probes["at_ns"] > 0) & (probes["at_ns"] >= since_ns)]
