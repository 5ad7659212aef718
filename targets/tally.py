"""Counts what the ledgers of a folder say of its tasks, as the files grow."""

from pathlib import Path

import numpy as np

from results.ledger_file import ledger_slots
from results.terms import Moment


class Tally:
    """Counts the moments in all ledger files of a folder, each look only those that are new."""

    def __init__(self, folder: Path, max_attempts: int) -> None:
        self._folder = folder
        self._max_attempts = max_attempts
        self._counted: dict[Path, int] = {}
        self.accepted = 0
        """tasks accepted by the last look"""
        self.started = 0
        """runs begun by the last look"""
        self.stopped = 0
        """runs over by the last look, however they ended"""
        self.ended = 0
        """tasks finished or failed for good by the last look"""

    def outstanding(self) -> int:
        """Look, and return how many tasks were accepted and have neither finished nor failed for good."""
        for path in self._files():
            offset = self._counted.get(path, 0)
            slots = without_gap(ledger_slots(path, offset))
            self._counted[path] = offset + slots.nbytes
            self._count(slots)
        return self.accepted - self.ended

    def over(self, records: np.ndarray) -> np.ndarray:
        """Return which records end a task: it finished, or failed for good."""
        failed_for_good = (records["moment"] == Moment.FAILED) & (records["attempt"] >= self._max_attempts)
        return np.asarray((records["moment"] == Moment.FINISHED) | failed_for_good)

    def _count(self, slots: np.ndarray) -> None:
        moment = slots["moment"]
        self.accepted += int((moment == Moment.ACCEPTED).sum())
        self.started += int((moment == Moment.STARTED).sum())
        self.stopped += int((moment > Moment.STARTED).sum())
        self.ended += int(self.over(slots).sum())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("ledger-*.bin"))


def without_gap(slots: np.ndarray) -> np.ndarray:
    """Return the slots before the first that is not written yet: a later one would be counted too early."""
    empty = np.flatnonzero(slots["moment"] == 0)
    return slots[: empty[0]] if len(empty) else slots
