"""What a broker is said to hold once a backlog is given up and its workers were ended."""

import numpy as np

from harness.trial.observation import with_taken
from results.columns import LEDGER_RECORD
from results.terms import Moment


def test_what_a_worker_was_just_taking_still_counts_as_held() -> None:
    """1 waits, 2 stands nowhere any more, 3 has begun meanwhile, 4 has moved to what is unacknowledged."""
    events = np.zeros(2, LEDGER_RECORD)
    events["task_id"], events["moment"] = [3, 2], [Moment.STARTED, Moment.ACCEPTED]
    before = {"queue": {1, 2, 3, 4}, "unacked": set[int]()}
    after = {"queue": {1}, "unacked": {4}}
    assert with_taken(after, before, events) == {"queue": {1, 2}, "unacked": {4}}
