import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.accounts import Ending, account
from results.columns import LEDGER_RECORD
from results.schema import Accounts
from results.terms import Moment, Outcome

ACCEPTED, UNKNOWN = Outcome.ACCEPTED, Outcome.UNKNOWN


def events(*moments: tuple[int, Moment, int]) -> np.ndarray:
    """Return ledger records of (task id, moment, attempt), one nanosecond apart."""
    rows = [(task, at_ns, 1, attempt, moment, 0) for at_ns, (task, moment, attempt) in enumerate(moments)]
    return np.array(rows, LEDGER_RECORD)


def counted(
    outcomes: dict[int, Outcome],
    recorded: np.ndarray,
    held: set[int] | None = None,
    ending: Ending | None = None,
) -> Accounts:
    ids = np.fromiter(outcomes, np.uint64, len(outcomes))
    return account(
        ids, np.array(list(outcomes.values()), np.int8), recorded, held or set(), ending or Ending()
    )


def run_of(task: int, attempt: int = 1, end: Moment = Moment.FINISHED) -> list[tuple[int, Moment, int]]:
    return [(task, Moment.STARTED, attempt), (task, end, attempt)]


def test_a_healthy_trial() -> None:
    counts = counted({4: ACCEPTED, 8: ACCEPTED}, events(*run_of(4), *run_of(8)))
    assert counts == Accounts(
        accepted=2,
        finished=2,
        failed=0,
        in_service=0,
        waiting=0,
        unaccounted=0,
        started_twice=0,
        finished_twice=0,
        ran_unaccepted=0,
        strangers=0,
    )


def test_an_accepted_task_that_nobody_knows_is_unaccounted_for() -> None:
    counts = counted({4: ACCEPTED, 8: ACCEPTED}, events(*run_of(4)))
    assert (counts.finished, counts.unaccounted) == (1, 1)


def test_a_started_task_that_never_ended_is_unaccounted_for_once_drained() -> None:
    started = events((4, Moment.STARTED, 1))
    assert counted({4: ACCEPTED}, started).unaccounted == 1
    cut = counted({4: ACCEPTED}, started, ending=Ending(cut_off=True))
    assert (cut.in_service, cut.unaccounted) == (1, 0)


def test_what_waits_is_in_the_broker_or_in_memory() -> None:
    in_broker = counted({4: ACCEPTED, 8: ACCEPTED}, events(), frozenset({4}), Ending(cut_off=True))
    assert (in_broker.waiting, in_broker.unaccounted) == (1, 1)
    in_memory = counted({4: ACCEPTED}, events(), ending=Ending(cut_off=True, in_process=True))
    assert (in_memory.waiting, in_memory.unaccounted) == (1, 0)


def test_retries_are_not_double_starts() -> None:
    ending = Ending(max_attempts=3)
    retried = counted(
        {4: ACCEPTED}, events(*run_of(4, 1, Moment.FAILED), *run_of(4, 2, Moment.FINISHED)), ending=ending
    )
    assert (retried.finished, retried.started_twice) == (1, 0)
    rerun = counted({4: ACCEPTED}, events((4, Moment.STARTED, 1), *run_of(4, 2)), ending=ending)
    assert (rerun.finished, rerun.started_twice) == (1, 1)
    given_up = counted(
        {4: ACCEPTED},
        events(*(step for n in (1, 2, 3) for step in run_of(4, n, Moment.FAILED))),
        ending=ending,
    )
    assert (given_up.failed, given_up.unaccounted) == (1, 0)


def test_a_task_that_ran_though_its_request_was_not_answered() -> None:
    counts = counted({4: UNKNOWN, 8: ACCEPTED}, events(*run_of(4), *run_of(8), *run_of(8)))
    assert (counts.ran_unaccepted, counts.finished_twice, counts.started_twice) == (1, 1, 1)


def test_strangers_are_counted_even_where_nothing_was_sent() -> None:
    assert counted({}, events(*run_of(99))).strangers == 2
    assert counted({4: ACCEPTED}, events(*run_of(4), *run_of(99))).strangers == 2


def test_a_registration_counts_as_its_three_tasks() -> None:
    recorded = events(*run_of(5), *run_of(6), *run_of(7))
    counts = counted({4: ACCEPTED}, recorded, ending=Ending(fanout=True))
    assert (counts.accepted, counts.finished, counts.strangers) == (3, 3, 0)


MOMENTS = st.tuples(st.integers(0, 12), st.sampled_from(Moment), st.integers(0, 3))


@given(
    outcomes=st.dictionaries(st.integers(0, 10), st.sampled_from(Outcome), max_size=8),
    recorded=st.lists(MOMENTS, max_size=40),
    held=st.frozensets(st.integers(0, 12)),
    ending=st.builds(Ending, st.just(False), st.integers(1, 3), st.booleans(), st.booleans()),
)
def test_the_classes_always_add_up(
    outcomes: dict[int, Outcome],
    recorded: list[tuple[int, Moment, int]],
    held: frozenset[int],
    ending: Ending,
) -> None:
    counts = counted(outcomes, events(*recorded), held, ending)
    classes = (counts.finished, counts.failed, counts.in_service, counts.waiting, counts.unaccounted)
    assert sum(classes) == counts.accepted
    assert min(classes) >= 0
    assert counts.strangers == sum(task not in outcomes for task, _, _ in recorded)


@pytest.mark.parametrize("size", [1, 50_000])
def test_ids_use_all_64_bits(size: int) -> None:
    ids = np.arange(size, dtype=np.uint64) + np.uint64(2**64 - size)
    recorded = np.zeros(size, LEDGER_RECORD)
    recorded["task_id"], recorded["moment"] = ids, Moment.FINISHED
    assert account(ids, np.zeros(size, np.int8), recorded, set(), Ending()).finished == size
