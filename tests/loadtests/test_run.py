"""That every figure which a generating process reports reaches the gate."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loadtests.openloop.faults import CLOSED_EARLY
from loadtests.openloop.options import COMMON, read
from loadtests.openloop.recorder import Recorder
from loadtests.openloop.run import Run, pack
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S, Stretch, plan
from loadtests.openloop.session import Outcomes
from results.terms import NEVER, Outcome

START_NS = 10 * NS_PER_S
STRETCHES = [Stretch(2.0, 50.0, 10.0)]


def report(late_ms: float = 0.1, unanswered: str = "") -> dict[str, Any]:
    """Return what a process reports that sent each request that late and had it answered 1 ms after.

    `unanswered` is the error of the last one.
    """
    recorder = Recorder(plan(STRETCHES, seed=1))
    for row, offset_ns in enumerate(recorder.schedule.due_ns.tolist()):
        recorder.sent_ns[row] = START_NS + offset_ns + round(late_ms * 1e6)
        recorder.settle(row, Outcome.ACCEPTED, 202, recorder.sent_ns[row] + 1_000_000, "")
    if unanswered:
        recorder.settle(row, Outcome.UNKNOWN, 0, NEVER, unanswered)
    outcomes = Outcomes(
        rows=recorder.rows(START_NS),
        errors=list(recorder.errors),
        start_ns=START_NS,
        end_ns=START_NS + 2 * NS_PER_S,
        drained_ns=START_NS + 2 * NS_PER_S,
        cpu_cores=0.1,
        in_flight_max=3,
        sockets_max=3,
        timer="timerfd",
        interrupted=False,
    )
    return pack(outcomes, 0)


def reasons(reports: dict[int, dict[str, Any]], **given: Any) -> list[str]:
    settings = read(COMMON, SimpleNamespace(rate=50.0, seconds=2.0, duration_ms=10.0, **given))
    run = Run(Scenario("steady", lambda _: STRETCHES), settings, {}, workers=1, reports=reports)
    load, rows, _ = run.load()
    assert np.count_nonzero(rows["outcome"] == Outcome.ACCEPTED) == load.accepted
    return [reason.split(":")[0] for reason in load.reasons]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"cpu_cores": 0.9}, "cpu"),
        ({"sockets_max": 1000}, "sockets"),
        ({"interrupted": True}, "interrupted"),
        ({"boot_id": "another host's"}, "clocks"),
    ],
)
def test_what_a_process_reports_of_itself_reaches_the_gate(change: dict[str, Any], word: str) -> None:
    assert reasons({0: report()}) == []
    assert reasons({0: report() | change}) == [word]


def test_lateness_and_its_tolerated_limit_reach_the_gate() -> None:
    assert reasons({0: report(late_ms=1.9)}) == ["slip"]
    assert reasons({0: report(late_ms=1.9)}, slip_limit_ms=2.0) == []
    assert reasons({0: report(late_ms=500.0)}) == ["slip", "rate"]


def test_an_answer_that_was_not_to_be_waited_for_is_no_fault() -> None:
    assert reasons({0: report(unanswered="closed before reply")}) == ["errors"]
    assert reasons({0: report(unanswered=CLOSED_EARLY)}) == []


def test_a_process_that_never_reports_is_an_interruption() -> None:
    assert "interrupted" in reasons({})


def test_a_run_knows_who_has_not_answered_and_how_long_it_may_wait() -> None:
    settings = read(COMMON, SimpleNamespace(seconds=20.0, drain_seconds=30.0))
    run = Run(Scenario("steady", lambda _: STRETCHES), settings, {}, workers=3)
    run.accepted |= {0, 2}
    run.reports[2] = report()
    assert run.undecided == [1]
    assert run.silent == [0, 1]
    assert not run.complete
    assert 20.0 + 30.0 < run.longest_s < 600.0


def test_a_worker_that_was_too_late_reaches_the_gate() -> None:
    late = {"overdue_share": 0.4, "interrupted": True}
    assert reasons({0: report() | late}) == ["interrupted", "late"]
