from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.drills.accounts import accounts
from analysis.drills.fates import Evidence, Rows, fates
from results.columns import LEDGER_RECORD
from results.findings import Accounts
from results.terms import NEVER, Look, Moment, Outcome

ACCEPTED, UNKNOWN = Outcome.ACCEPTED, Outcome.UNKNOWN
LIVES, GONE = 1, 2
WITH_BROKER = Evidence(max_attempts=1, in_process=False, alive_pids=frozenset({LIVES}))
IN_PROCESS = replace(WITH_BROKER, in_process=True)
Entry = tuple[int, Moment, int]
"""task, moment, attempt"""


def events(*moments: Entry, pid: int = LIVES) -> np.ndarray:
    """Return ledger records, one nanosecond apart."""
    rows = [(task, at_ns, pid, attempt, moment, 0) for at_ns, (task, moment, attempt) in enumerate(moments)]
    return np.array(rows, LEDGER_RECORD)


def counted(
    outcomes: Mapping[int, Outcome],
    recorded: np.ndarray,
    held: Iterable[int] = (),
    evidence: Evidence = WITH_BROKER,
    *,
    fanout: bool = False,
) -> Accounts:
    asked = {
        "task_id": np.fromiter(outcomes, np.uint64, len(outcomes)),
        "outcome": np.array(list(outcomes.values()), np.int8),
        "sent_ns": np.array([NEVER if o is Outcome.SHED else 0 for o in outcomes.values()], np.int64),
    }
    look = {Look.AT_HORIZON: np.array(sorted(held), np.uint64)}
    return accounts(fates(Rows.of(asked, fanout=fanout), recorded, look, evidence))


def run_of(task: int, attempt: int = 1, end: Moment = Moment.FINISHED) -> list[Entry]:
    return [(task, Moment.STARTED, attempt), (task, end, attempt)]


def test_a_healthy_trial() -> None:
    counts = counted({4: ACCEPTED, 8: ACCEPTED}, events(*run_of(4), *run_of(8)))
    assert counts == Accounts(
        accepted=2,
        finished=2,
        failed=0,
        in_service=0,
        waiting=0,
        lost=0,
        unaccounted=0,
        started_twice=0,
        finished_twice=0,
        ran_unaccepted=0,
        strangers=0,
    )


def test_an_accepted_task_that_nobody_knows_is_unaccounted_for() -> None:
    counts = counted({4: ACCEPTED, 8: ACCEPTED}, events(*run_of(4)))
    assert (counts.finished, counts.unaccounted) == (1, 1)


def test_a_started_task_is_in_service_only_where_its_process_lives() -> None:
    began = (4, Moment.STARTED, 1)
    assert counted({4: ACCEPTED}, events(began)).in_service == 1
    for evidence in (WITH_BROKER, IN_PROCESS):
        dead = counted({4: ACCEPTED}, events(began, pid=GONE), evidence=evidence)
        assert (dead.in_service, dead.unaccounted) == (0, 1)
    kept = counted({4: ACCEPTED}, events(began, pid=GONE), held={4})
    assert (kept.in_service, kept.waiting) == (0, 1)


def test_what_waits_is_in_the_broker_or_in_living_memory() -> None:
    both = events((4, Moment.ACCEPTED, 0), (8, Moment.ACCEPTED, 0))
    in_broker = counted({4: ACCEPTED, 8: ACCEPTED}, both, held={4})
    assert (in_broker.waiting, in_broker.unaccounted) == (1, 1)
    taken = (4, Moment.ACCEPTED, 0)
    assert counted({4: ACCEPTED}, events(taken), evidence=IN_PROCESS).waiting == 1
    assert counted({4: ACCEPTED}, events(taken, pid=GONE), evidence=IN_PROCESS).unaccounted == 1


def test_a_loss_is_lost_where_a_fault_explains_it_and_else_unaccounted_for() -> None:
    began = events((4, Moment.STARTED, 1), pid=GONE)
    fault = replace(WITH_BROKER, from_ns=5, to_ns=6, at_rest_ns=7)
    struck = counted({4: ACCEPTED}, began, evidence=fault)
    assert (struck.lost, struck.unaccounted) == (1, 0)
    unexplained = counted({4: ACCEPTED}, began)
    assert (unexplained.lost, unexplained.unaccounted) == (0, 1)


def test_a_failed_attempt_whose_retry_is_gone_is_unaccounted_for() -> None:
    retried = replace(WITH_BROKER, max_attempts=3)
    failed = events(*run_of(4, 1, Moment.FAILED))
    assert counted({4: ACCEPTED}, failed, evidence=retried).unaccounted == 1
    assert counted({4: ACCEPTED}, failed, held={4}, evidence=retried).waiting == 1


def test_retries_are_not_double_starts() -> None:
    evidence = replace(WITH_BROKER, max_attempts=3)
    retried = counted(
        {4: ACCEPTED}, events(*run_of(4, 1, Moment.FAILED), *run_of(4, 2, Moment.FINISHED)), evidence=evidence
    )
    assert (retried.finished, retried.started_twice) == (1, 0)
    rerun = counted({4: ACCEPTED}, events((4, Moment.STARTED, 1), *run_of(4, 2)), evidence=evidence)
    assert (rerun.finished, rerun.started_twice) == (1, 1)
    given_up = counted(
        {4: ACCEPTED},
        events(*(step for n in (1, 2, 3) for step in run_of(4, n, Moment.FAILED))),
        evidence=evidence,
    )
    assert (given_up.failed, given_up.unaccounted) == (1, 0)


def test_a_task_that_ran_though_its_request_was_not_answered() -> None:
    counts = counted({4: UNKNOWN, 8: ACCEPTED}, events(*run_of(4), *run_of(8), *run_of(8)))
    assert (counts.ran_unaccepted, counts.finished_twice, counts.started_twice) == (1, 1, 0)


def test_strangers_are_counted_even_where_nothing_was_sent() -> None:
    assert counted({}, events(*run_of(99))).strangers == 2
    assert counted({4: ACCEPTED}, events(*run_of(4), *run_of(99))).strangers == 2


def test_a_registration_counts_as_its_three_tasks() -> None:
    recorded = events(*run_of(5), *run_of(6), *run_of(7))
    counts = counted({4: ACCEPTED}, recorded, fanout=True)
    assert (counts.accepted, counts.finished, counts.strangers) == (3, 3, 0)


MOMENTS = st.tuples(st.integers(0, 12), st.sampled_from(Moment), st.integers(0, 3))
EVIDENCE = st.builds(
    Evidence,
    max_attempts=st.integers(1, 3),
    in_process=st.booleans(),
    alive_pids=st.frozensets(st.sampled_from([LIVES, GONE])),
    to_ns=st.sampled_from([NEVER, 20]),
)


@given(
    outcomes=st.dictionaries(st.integers(0, 10), st.sampled_from(Outcome), max_size=8),
    recorded=st.lists(MOMENTS, max_size=40),
    held=st.frozensets(st.integers(0, 12)),
    evidence=EVIDENCE,
)
def test_the_classes_always_add_up(
    outcomes: dict[int, Outcome], recorded: list[Entry], held: frozenset[int], evidence: Evidence
) -> None:
    told = counted(outcomes, events(*recorded), held, evidence)
    classes = (told.finished, told.failed, told.in_service, told.waiting, told.lost, told.unaccounted)
    assert sum(classes) == told.accepted
    assert min(classes) >= 0
    assert told.strangers == sum(task not in outcomes for task, _, _ in recorded)


def test_ids_use_all_64_bits() -> None:
    size = 50_000
    ids = range(2**64 - size, 2**64)
    recorded = np.zeros(2 * size, LEDGER_RECORD)
    recorded["task_id"] = np.repeat(np.array(ids, np.uint64), 2)
    recorded["moment"] = np.tile([Moment.STARTED, Moment.FINISHED], size)
    assert counted(dict.fromkeys(ids, ACCEPTED), recorded).finished == size
