"""The ledger's records gathered by task, and by task and process."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from results.terms import NEVER, Moment

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Events: TypeAlias = np.ndarray | Mapping[str, np.ndarray]
"""an array of `LEDGER_RECORD`, or columns of the table `events`"""

_FAR: Final = np.iinfo(np.int64).max


class TaskRecords:
    """What the ledger says of each of these tasks; times are `NEVER` where none came."""

    def __init__(
        self,
        ids: npt.NDArray[np.uint64],
        events: Events,
        *,
        ends_only: bool,
        alive_pids: frozenset[int],
        at_rest_ns: int,
    ) -> None:
        order = np.argsort(ids, kind="stable")
        event_ids = np.asarray(events["task_id"], np.uint64)
        place = np.minimum(np.searchsorted(ids[order], event_ids), max(len(ids) - 1, 0))
        ours = ids[order][place] == event_ids if len(ids) else np.zeros(len(event_ids), bool)
        self.strangers = int((~ours).sum())
        self._size = len(ids)
        self._row = order[place[ours]] if len(ids) else np.empty(0, np.int64)
        self._at = np.asarray(events["at_ns"], np.int64)[ours]
        self._moment = np.asarray(events["moment"], np.int64)[ours]
        self._pid = np.asarray(events["pid"], np.int64)[ours]
        attempt = np.asarray(events["attempt"], np.int64)[ours]

        finish, fail = self._moment == Moment.FINISHED, self._moment == Moment.FAILED
        end, web = finish | fail, self._moment <= Moment.ACCEPTED
        start = end if ends_only else self._moment == Moment.STARTED
        self.starts, self.finishes, self.failures = (self._times(which) for which in (start, finish, fail))
        self.known = self._times(web | start) > 0
        self.known_ns = self._first(web | start)
        self.first_start_ns, self.last_start_ns = self._first(start), self._last(start)
        self.first_end_ns, self.last_end_ns = self._first(end), self._last(end)
        self.first_finish_ns = self._first(finish)
        last_failure_ns = self._last(fail)
        self.failed_last = (
            (self.failures > 0) & (self.finishes == 0) & (last_failure_ns >= self.last_start_ns)
        )
        self.tried = np.zeros(self._size, np.int64)
        latest = fail & (self._at == last_failure_ns[self._row])
        np.maximum.at(self.tried, self._row[latest], attempt[latest])
        alive = np.isin(self._pid, np.fromiter(alive_pids, np.int64, len(alive_pids)))
        self.web_alive = self._times(web & alive) > 0
        self._by_process(start, end | (self._moment == Moment.INTERRUPTED), alive, at_rest_ns)

    def _by_process(self, start: Flags, over: Flags, alive: Flags, at_rest_ns: int) -> None:
        """Find what runs, or ran at rest, and what cannot be: an end of what never began."""
        pairs, group = np.unique(np.stack([self._row, self._pid]), axis=1, return_inverse=True)
        group, rows = group.ravel(), pairs[0]

        def times(which: Flags) -> Ints:
            return np.bincount(group[which], minlength=len(rows)).astype(np.int64)

        def first(which: Flags) -> Ints:
            found = np.full(len(rows), _FAR, np.int64)
            np.minimum.at(found, group[which], self._at[which])
            return found

        def of_tasks(groups: Flags) -> Flags:
            return np.bincount(rows[groups], minlength=self._size) > 0

        by_rest = self._at <= at_rest_ns
        open_now = times(start) > times(over)
        open_at_rest = times(start & by_rest) > times(over & by_rest)
        lives = times(alive) > 0
        self.running = of_tasks(open_now & lives)
        self.running_at_rest = of_tasks(open_at_rest & (lives | (times(over & ~by_rest) > 0)))
        self.disordered = of_tasks((times(over) > times(start)) | (first(over) < first(start)))

    def _times(self, which: Flags) -> Ints:
        return np.bincount(self._row[which], minlength=self._size).astype(np.int64)

    def _first(self, which: Flags) -> Ints:
        found = np.full(self._size, _FAR, np.int64)
        np.minimum.at(found, self._row[which], self._at[which])
        found[found == _FAR] = NEVER
        return found

    def _last(self, which: Flags) -> Ints:
        found = np.full(self._size, NEVER, np.int64)
        np.maximum.at(found, self._row[which], self._at[which])
        return found
