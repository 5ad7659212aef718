"""The tasks of ours by which a drill sees that its target works again."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from harness.drills import fault_log, trial
from harness.drills.catalogue import DRILLS
from harness.drills.fault_log import FaultLog, Probe
from harness.drills.trial import Drilling
from results.columns import LEDGER_RECORD
from results.errors import BlockpointError
from results.schema import Plan
from results.terms import Moment


@dataclass
class Fake:
    """A target of which the tasks named by their number, from 1 on, run."""

    run: set[int]
    refuses: bool = False
    sent: int = 0
    web: tuple[Any, ...] = ()
    workers: tuple[Any, ...] = ()
    events_: np.ndarray = field(default_factory=lambda: np.empty(0, LEDGER_RECORD))

    def submit(self, _: str) -> int:
        if self.refuses:
            raise BlockpointError("not accepted")
        self.sent += 1
        return self.sent

    def reader(self) -> "Fake":
        return self

    def finished_ids(self) -> set[int]:
        return {number for number in self.run if number <= self.sent}

    def events(self) -> np.ndarray:
        return self.events_

    def over(self, records: np.ndarray) -> np.ndarray:
        return np.asarray(records["moment"] == Moment.FINISHED)


def probe(target: Fake) -> Probe:
    return Probe(target, "sleep")  # type: ignore[arg-type]


def test_one_that_has_run_is_never_overdue() -> None:
    assert not probe(Fake({1})).overdue(0)


def test_one_that_has_not_run_is_overdue_after_its_time() -> None:
    sent = probe(Fake(set()))
    assert sent.overdue(0)
    assert not sent.overdue(3600)


def test_where_one_stays_hidden_another_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_log, "ANOTHER_AFTER_S", 0)
    target = Fake({2})
    sent = probe(target)
    assert [sent.ended(), sent.ended()] == [False, True]
    assert target.sent == 2


@pytest.mark.parametrize("refuses", [True, False])
def test_it_says_whether_it_was_accepted(refuses: bool) -> None:
    assert probe(Fake(set(), refuses=refuses)).accepted is not refuses


def test_a_target_that_works_has_not_exited_however_long_it_takes_to_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "PROBE_LIMIT_S", 0)
    waiting = np.zeros(1, LEDGER_RECORD)
    waiting["moment"], waiting["at_ns"] = Moment.ACCEPTED, time.monotonic_ns()
    target = Fake({1}, events_=waiting)
    plan = Plan(
        trial_id="one",
        subject="saq/durable",
        kind="sleep",
        duration_ms=1,
        scenario="steady",
        rate_per_s=1,
        seconds=1,
        seed=1,
    )
    drilling = Drilling(None, target, DRILLS["poison-kill"], plan, 0.0, alone=True)  # type: ignore[arg-type]
    log = FaultLog("", since_ns=time.monotonic_ns())
    drilling._rest(target, log, quiet_s=0.1)  # type: ignore[arg-type]
    assert log.exited == []
