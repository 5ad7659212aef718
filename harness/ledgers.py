"""Reads what a stack's processes record while they run."""

from pathlib import Path

import numpy as np

from results.schema import LEDGER_RECORD, PROBE_RECORD, Moment
from results.tables import read_ledger


class LedgerReader:
    """Follows all ledger files of a folder from a point in time on."""

    def __init__(self, folder: Path, max_attempts: int) -> None:
        self._folder = folder
        self._max_attempts = max_attempts
        self._offsets: dict[Path, int] = {path: path.stat().st_size for path in self._files()}
        self._parts: list[np.ndarray] = []
        self._outstanding = 0

    def outstanding(self) -> int:
        """Return how many tasks were accepted and have neither finished nor failed for good."""
        self._advance()
        return self._outstanding

    def finished_ids(self) -> set[int]:
        """Return the ids of the tasks that have finished since the reader was made."""
        events = self.events()
        return set(events["task_id"][events["moment"] == Moment.FINISHED].tolist())

    def events(self) -> np.ndarray:
        """Return every record since the reader was made, as an array of `LEDGER_RECORD`."""
        self._advance()
        return np.concatenate(self._parts) if self._parts else np.empty(0, LEDGER_RECORD)

    def _advance(self) -> None:
        for path in self._files():
            offset = self._offsets.get(path, 0)
            if path.stat().st_size - offset < LEDGER_RECORD.itemsize:
                continue
            events = read_ledger(path, offset)
            self._offsets[path] = offset + events.nbytes
            self._parts.append(events)
            moment, attempt = events["moment"], events["attempt"]
            over = (moment == Moment.FINISHED) | ((moment == Moment.FAILED) & (attempt >= self._max_attempts))
            self._outstanding += int((moment == Moment.ACCEPTED).sum()) - int(over.sum())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("ledger-*.bin"))


def read_probes(folder: Path, since_ns: int) -> np.ndarray:
    """Return the web processes' looks at themselves since `since_ns`, as an array of `PROBE_RECORD`."""
    parts = []
    for path in sorted(folder.glob("probes-*.bin")):
        data = path.read_bytes()
        parts.append(np.frombuffer(data[: len(data) - len(data) % PROBE_RECORD.itemsize], PROBE_RECORD))
    probes = np.concatenate(parts) if parts else np.empty(0, PROBE_RECORD)
    return probes[probes["at_ns"] >= since_ns]
