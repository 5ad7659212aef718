import numpy as np

from harness.trial.accounts import spread
from loadtests.openloop.identity import web_processes
from results.columns import LEDGER_RECORD
from results.terms import Moment


def test_it_counts_what_each_process_accepted_and_one_that_accepted_nothing() -> None:
    moments = [(1, Moment.ACCEPTED), (2, Moment.ACCEPTED), (2, Moment.ACCEPTED), (4, Moment.FINISHED)]
    events = np.zeros(len(moments), LEDGER_RECORD)
    events["pid"], events["moment"] = zip(*moments, strict=True)
    assert spread(events, {1, 3}) == [2, 1, 0]


def test_a_target_that_does_not_say_how_many_it_is_is_one() -> None:
    assert web_processes({"conditions": {"web_processes": 3}}) == 3
    for identity in ({}, {"conditions": 3}, {"conditions": {"web_processes": 0}}):
        assert web_processes(identity) == 1
