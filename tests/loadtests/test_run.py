"""That every figure which a generating process reports reaches the gate."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loadtests.openloop.clocks import Offset
from loadtests.openloop.crew import Sighting, alone
from loadtests.openloop.faults import CLOSED_EARLY
from loadtests.openloop.options import COMMON, read
from loadtests.openloop.recorder import Recorder
from loadtests.openloop.run import Run, pack
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S, PlannedStep, plan
from loadtests.openloop.session import Outcomes
from loadtests.openloop.summary import text
from results.terms import NEVER, Outcome

START_NS = 10 * NS_PER_S
STRETCHES = [PlannedStep(2.0, 50.0, 10.0)]


def report(late_ms: float = 0.1, unanswered: str = "", shed_from: int | None = None) -> dict[str, Any]:
    """Return what a process reports that sent each request that late and had it answered 1 ms after.

    `unanswered` is the error of the last one. From the request `shed_from` on all were shed.
    """
    recorder = Recorder(plan(STRETCHES, seed=1))
    for row, offset_ns in enumerate(recorder.schedule.due_ns.tolist()):
        recorder.sent_ns[row] = START_NS + offset_ns + round(late_ms * 1e6)
        recorder.settle(row, Outcome.ACCEPTED, 202, recorder.sent_ns[row] + 1_000_000, "")
    if unanswered:
        recorder.settle(row, Outcome.UNKNOWN, 0, NEVER, unanswered)
    for row in range(len(recorder.schedule) if shed_from is None else shed_from, len(recorder.schedule)):
        recorder.sent_ns[row] = NEVER
        recorder.settle(row, Outcome.SHED, 0, NEVER, "shed")
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
    return pack(outcomes, 0) | {"rows": outcomes.rows}


def seen(uncertainty_ms: float = 0.0, ahead_ns: int = 0) -> Sighting:
    return Sighting("host_1", "host", "boot", Offset(START_NS, ahead_ns, round(uncertainty_ms * 1e6)))


def run_of(reports: dict[int, dict[str, Any]], *crew: Sighting, **given: Any) -> Run:
    settings = read(COMMON, SimpleNamespace(rate=50.0, seconds=2.0, duration_ms=10.0, **given))
    rows = {index: each["rows"] for index, each in reports.items()}
    return Run(Scenario("steady", lambda _: STRETCHES), settings, {}, crew or [alone()], 1, reports, rows)


def said(reports: dict[int, dict[str, Any]], **given: Any) -> str:
    load, rows, _ = run_of(reports, **given).load()
    return text(load, rows)


def reasons(reports: dict[int, dict[str, Any]], *crew: Sighting, **given: Any) -> list[str]:
    load, rows, _ = run_of(reports, *crew, **given).load()
    assert np.count_nonzero(rows["outcome"] == Outcome.ACCEPTED) == load.accepted
    return [reason.split(":")[0] for reason in load.reasons]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"cpu_cores": 0.9}, "cpu"),
        ({"sockets_max": 1000}, "sockets"),
        ({"interrupted": True}, "interrupted"),
    ],
)
def test_what_a_process_reports_of_itself_reaches_the_gate(change: dict[str, Any], word: str) -> None:
    assert reasons({0: report()}) == []
    assert reasons({0: report() | change}) == [word]


def test_lateness_and_its_tolerated_limit_reach_the_gate() -> None:
    assert reasons({0: report(late_ms=1.9)}) == ["slip"]
    assert reasons({0: report(late_ms=1.9)}, slip_limit_ms=2.0) == []
    assert reasons({0: report(late_ms=500.0)}) == ["slip", "rate"]


@pytest.mark.parametrize(
    ("why", "shed_from", "in_flight", "found"),
    [
        ("50 requests, which take a second to be sent", 60, 50, []),
        ("three, which take 60 ms", 60, 3, ["shed"]),
        ("nothing was shed", None, 50, []),
    ],
)
def test_how_long_requests_had_waited_when_others_were_shed_reaches_the_gate(
    why: str, shed_from: int | None, in_flight: int, found: list[str]
) -> None:
    sent = report(shed_from=shed_from) | {"in_flight_max": in_flight}
    assert reasons({0: sent}, arrivals="constant") == found, why
    assert reasons({0: sent}, slo_ms=5_000.0) == (["shed"] if shed_from else [])


def test_the_summary_says_that_the_target_did_not_answer() -> None:
    sent = report(shed_from=60) | {"in_flight_max": 50}
    assert "the target did not answer: requests had waited " in said({0: sent}, arrivals="constant")
    assert "the target did not answer" not in said({0: report()})


@pytest.mark.parametrize("warm_up", [0.2, 0.9])
def test_a_p99_of_too_few_samples_is_not_claimed(warm_up: float) -> None:
    summary = said({0: report()}, warm_up=warm_up)
    (accept,) = (line for line in summary.splitlines() if line.strip().startswith("accept "))
    count = int(accept.rpartition(" of ")[2])
    assert 0 < count < 100
    assert "p99" not in accept
    assert "gate: passed" in summary
    assert f"few samples (accept {count}, /ping 0, /ping-sync 0): a p99 needs 100" in summary
    assert "/ping      no answer" in summary


def test_of_enough_samples_it_is() -> None:
    (accept,) = (line for line in said({0: report()}, warm_up=0.0).splitlines() if "accept  " in line)
    assert " p99 " in accept


def test_what_was_shed_in_the_warm_up_alone_is_refused() -> None:
    sent = report()
    outcome, at_ns = sent["rows"]["outcome"].copy(), sent["rows"]["sent_ns"].copy()
    outcome[10:15], at_ns[10:15] = Outcome.SHED, NEVER
    sent["rows"] |= {"outcome": outcome, "sent_ns": at_ns}
    assert reasons({0: sent | {"in_flight_max": 10}}) == ["shed"]


def test_an_answer_that_was_not_to_be_waited_for_is_no_fault() -> None:
    assert reasons({0: report(unanswered="closed before reply")}) == ["errors"]
    assert reasons({0: report(unanswered=CLOSED_EARLY)}) == []


def test_a_process_that_never_reports_is_an_interruption() -> None:
    assert "interrupted" in reasons({})


def test_a_worker_that_is_gone_is_named_and_the_rows_of_the_other_are_kept() -> None:
    load, rows, _ = run_of({0: report()}, seen(), replace(seen(), name="host_2")).load()
    assert len(rows["due_ns"]) == len(report()["rows"]["due_ns"])
    assert "lost: host_2 did not report, and its requests are missing" in load.reasons
    assert [generator.name for generator in load.generators] == ["host_1"]


def test_a_clock_that_is_not_known_well_enough_is_a_reason_and_one_that_is_becomes_ours() -> None:
    ahead_ns = 1000 * NS_PER_S
    moments = {name: report()[name] + ahead_ns for name in ("start_ns", "end_ns", "drained_ns")}
    for uncertainty_ms, words in ((0.2, []), (1.5, ["clocks"])):
        theirs = {name: column.copy() for name, column in report()["rows"].items()}
        for name in ("due_ns", "sent_ns", "replied_ns"):
            theirs[name] += ahead_ns
        sent = report() | moments | {"rows": theirs}
        clock = seen(uncertainty_ms, ahead_ns)
        run = run_of({0: sent}, clock)
        run.clocks_after[0] = replace(clock.offset, at_ns=START_NS + 3 * NS_PER_S)
        load, rows, _ = run.load()
        assert [reason.split(":")[0] for reason in load.reasons] == words
        assert all(np.array_equal(rows[name], report()["rows"][name]) for name in rows)
        assert load.steps[0].from_ns == START_NS
        assert load.generators[0].offset_ns == ahead_ns


def test_a_run_knows_who_has_not_answered_and_how_long_it_may_wait() -> None:
    settings = read(COMMON, SimpleNamespace(seconds=20.0, drain_seconds=30.0))
    run = Run(Scenario("steady", lambda _: STRETCHES), settings, {}, [seen()] * 3)
    run.accepted |= {0, 2}
    run.reports[2] = report()
    assert run.undecided == [1]
    assert run.silent == [0, 1]
    assert not run.complete
    assert 20.0 + 30.0 < run.longest_s < 600.0


def test_a_worker_that_was_too_late_reaches_the_gate() -> None:
    late = {"overdue_share": 0.4, "interrupted": True}
    assert reasons({0: report() | late}) == ["interrupted", "late"]
