import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from results.shedding import waited_ns
from results.terms import NEVER

MS = 1_000_000


@given(st.integers(1, 900), st.integers(1, 20))
def test_requests_in_flight_have_waited_as_little_s_law_says(in_flight: int, every_ms: int) -> None:
    """A target that never answers: whoever was sent is in flight, and the oldest has waited the longest."""
    sent = np.arange(in_flight, dtype=np.int64) * every_ms * MS
    due = np.array([in_flight * every_ms * MS])
    assert waited_ns(due, np.append(sent, NEVER), in_flight).tolist() == [in_flight * every_ms * MS]


@given(st.integers(0, 99))
def test_no_request_in_flight_is_said_to_have_waited_longer_than_the_oldest(seed: int) -> None:
    random = np.random.default_rng(seed)
    sent = np.sort(random.integers(0, 10_000, 300))
    latency = random.integers(1, 500, 300)
    due = int(random.integers(1_000, 10_000))
    waiting = sent[(sent <= due) & (sent + latency > due)]
    if len(waiting):
        (waited,) = waited_ns(np.array([due]), sent, len(waiting)).tolist()
        assert waited <= due - waiting.min()


def test_one_hung_connection_does_not_make_the_others_slow() -> None:
    sent = np.append(0, np.arange(10_000, 12_000) * MS)
    assert waited_ns(np.array([12_000 * MS]), sent, 45).tolist() == [45 * MS]


def test_without_any_request_nothing_is_known() -> None:
    assert waited_ns(np.array([5]), np.array([NEVER]), 3).tolist() == [0]
    assert waited_ns(np.array([], np.int64), np.array([1, 2]), 3).tolist() == []
