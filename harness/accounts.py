"""What became of every accepted task, from three records: the client's, the executors', the broker's."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from results.schema import Accounts
from results.terms import FANOUT_PARTS, Moment, Outcome


@dataclass(frozen=True)
class Ending:
    """How a trial's drain ended, and what a strategy promises: all that the accounts depend on."""

    fanout: bool = False
    """each request starts `FANOUT_PARTS` tasks instead of one"""
    max_attempts: int = 1
    cut_off: bool = False
    """the drain's limit came before the backlog was gone"""
    in_process: bool = False
    """tasks wait in the web process's memory rather than in a broker"""


def account(
    request_ids: np.ndarray,
    outcomes: np.ndarray,
    events: np.ndarray,
    in_broker: AbstractSet[int],
    ending: Ending,
) -> Accounts:
    """Count the tasks of one trial.

    request_ids (uint64) and outcomes (`Outcome`) have one entry a scheduled arrival, events are
    `LEDGER_RECORD`s, in_broker holds the ids that the broker still had in the end.
    """
    sent = np.sort(_tasks_of(request_ids, ending.fanout))
    accepted = np.isin(sent, _tasks_of(request_ids[outcomes == Outcome.ACCEPTED], ending.fanout))
    position = np.minimum(np.searchsorted(sent, events["task_id"]), max(len(sent) - 1, 0))
    ours = sent[position] == events["task_id"] if len(sent) else np.zeros(len(events), bool)

    def times(moment: Moment, *, least_attempt: int = 0) -> np.ndarray:
        chosen = ours & (events["moment"] == moment) & (events["attempt"] >= least_attempt)
        return np.bincount(position[chosen], minlength=len(sent))

    starts, finishes, failures = times(Moment.STARTED), times(Moment.FINISHED), times(Moment.FAILED)
    finished = accepted & (finishes > 0)
    failed = accepted & ~finished & (times(Moment.FAILED, least_attempt=ending.max_attempts) > 0)
    left = accepted & ~finished & ~failed
    held = left & np.isin(sent, np.fromiter(in_broker, np.uint64, len(in_broker)))
    in_service = left & (starts > failures) if ending.cut_off else np.zeros(len(sent), bool)
    waiting = (left & ~in_service) if ending.cut_off and ending.in_process else held & ~in_service
    return Accounts(
        accepted=int(accepted.sum()),
        finished=int(finished.sum()),
        failed=int(failed.sum()),
        in_service=int(in_service.sum()),
        waiting=int(waiting.sum()),
        unaccounted=int((left & ~in_service & ~waiting).sum()),
        started_twice=int((accepted & (starts > failures + 1)).sum()),
        finished_twice=int((accepted & (finishes > 1)).sum()),
        ran_unaccepted=int((~accepted & (starts > 0)).sum()),
        strangers=int((~ours).sum()),
    )


def _tasks_of(request_ids: np.ndarray, fanout: bool) -> np.ndarray:
    if not fanout:
        return request_ids
    parts = np.arange(1, FANOUT_PARTS + 1, dtype=np.uint64)
    return (request_ids[:, None] + parts[None, :]).ravel()
