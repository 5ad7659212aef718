import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.queueing.trace import poll, serve, starts, visits

TIMES = st.floats(0, 20, allow_subnormal=False)
JOBS = st.lists(st.tuples(TIMES, st.floats(0, 3, allow_subnormal=False), st.integers(1, 3)), max_size=40)


def naive(jobs: list[tuple[float, float, int]], servers: int) -> tuple[list[float], list[float]]:
    """The same by a list of who waits: the next turn is always that of whoever queued first."""
    waiting = [(due, number, passes) for number, (due, _, passes) in enumerate(jobs)]
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    free = [float("-inf")] * servers
    while waiting:
        again = [entry for entry in waiting if entry[1] in first]
        fresh = [entry for entry in waiting if entry[1] not in first]
        came, number, left = min([*again, *fresh], key=lambda entry: (entry[0], entry in fresh, entry[1]))
        waiting.remove((came, number, left))
        free.sort()
        begun = max(came, free[0])
        free[0] = last[number] = begun + jobs[number][1]
        first.setdefault(number, begun)
        if left > 1:
            waiting.append((last[number], number, left - 1))
    return [first[n] for n in range(len(jobs))], [last[n] for n in range(len(jobs))]


@given(JOBS, st.integers(1, 5))
def test_it_serves_like_a_naive_queue(jobs: list[tuple[float, float, int]], servers: int) -> None:
    due, held, passes = (
        (np.array(column, float) for column in zip(*jobs, strict=True)) if jobs else [np.empty(0)] * 3
    )
    start, end = serve(due, held, servers, passes.astype(int))
    expected_start, expected_end = naive(jobs, servers)
    assert start.tolist() == pytest.approx(expected_start)
    assert end.tolist() == pytest.approx(expected_end)


@given(st.lists(TIMES, min_size=1, max_size=60), st.integers(1, 70), st.floats(0.01, 3))
def test_equal_jobs_have_a_closed_form(due: list[float], servers: int, held_s: float) -> None:
    came = np.sort(due)
    expected, _ = serve(came, np.full(len(came), held_s), servers)
    assert starts(came, held_s, servers) == pytest.approx(expected)


@given(st.lists(TIMES, min_size=1, max_size=40), TIMES, st.integers(1, 5))
def test_a_visitor_waits_as_if_it_were_a_job(due: list[float], at: float, servers: int) -> None:
    came = np.sort(due)
    turn = visits(np.array([at]), came, starts(came, 1.0, servers), 1.0, servers)[0]
    jobs = np.append(came, at)
    held = np.append(np.ones(len(came)), 0.0)
    assert turn == pytest.approx(serve(jobs, held, servers)[0][-1])


@given(st.integers(0, 1000), st.floats(1.01, 3), st.integers(1, 10))
def test_nobody_waits_less_where_the_same_pattern_comes_faster(
    seed: int, faster: float, servers: int
) -> None:
    came = np.cumsum(np.random.default_rng(seed).exponential(0.1, 200))
    slow, fast = (starts(due, 0.5, servers) - due for due in (came, came / faster))
    assert (fast >= slow - 1e-9).all()


def test_fifo_by_hand() -> None:
    due, held = np.array([0.0, 1.0, 2.0, 2.5]), np.array([4.0, 4.0, 1.0, 1.0])
    start, end = serve(due, held, servers=2)
    assert start.tolist() == [0, 1, 4, 5]
    assert end.tolist() == [4, 5, 5, 6]


def test_above_saturation_the_line_grows_by_what_cannot_be_served() -> None:
    due = np.arange(0, 100, 0.1)
    start, _ = serve(due, np.full(len(due), 1.0), servers=8)
    assert (start - due)[-1] == pytest.approx(len(due) / 8 - 100, abs=1)


POLLED = [
    ("no-ops: the read limit", (10, 0.5), 0, 200.0),
    ("2 ms: slots fall free within the look", (10, 0.5), 2, 200.0),
    ("10 ms: all slots fill first", (10, 0.5), 10, 20.0),
    ("0.1 s: one tick", (10, 0.5), 100, 20.0),
    ("1 s: three ticks", (10, 0.5), 1000, 6.7),
    ("a look at 100 slots takes 60 ms", (100, 0.01), 100, 659.0),
    ("... which is little beside 0.2 s", (100, 0.01), 200, 366.0),
]


@pytest.mark.parametrize(("why", "worker", "duration_ms", "measured_per_s"), POLLED)
def test_polling_completes_what_arq_was_measured_to(
    why: str, worker: tuple[int, float], duration_ms: float, measured_per_s: float
) -> None:
    slots, poll_s = worker
    due = np.linspace(0, 40, int(40 * measured_per_s * 3))
    held = np.full(len(due), duration_ms / 1000)
    _, end = poll(due, held, slots, poll_s=poll_s, read_limit=max(100, 5 * slots))
    completed = ((end >= 9.75) & (end < 39.75)).sum() / 30
    assert completed == pytest.approx(measured_per_s, rel=0.06), why


def test_a_polled_job_waits_for_the_next_look() -> None:
    due = np.array([0.0, 0.1, 0.6, 7.3])
    start, end = poll(due, np.full(4, 0.2), 10, poll_s=0.5, read_limit=100, claim_s=0.001)
    assert start.tolist() == pytest.approx([0.001, 0.501, 1.001, 7.501])
    assert (end - start).tolist() == pytest.approx([0.2] * 4)


def test_polling_with_all_slots_taken_skips_a_look() -> None:
    start, _ = poll(np.array([0.0, 0.0, 0.01]), np.full(3, 0.7), 1, poll_s=0.5, read_limit=100, claim_s=0)
    assert start.tolist() == pytest.approx([0, 1, 2])


def test_an_empty_schedule() -> None:
    none = np.empty(0)
    assert all(
        len(column) == 0 for column in (*serve(none, none, 3), *poll(none, none, 3, poll_s=1, read_limit=9))
    )
    assert len(starts(none, 1.0, 3)) == 0
