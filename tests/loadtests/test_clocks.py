"""How far a clock is from ours, from exchanges of any delay either way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.clocks import DRIFT_PPM, Exchange, Offset, Translation, offset
from results.terms import NEVER

WAYS_NS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=30)


@given(st.integers(-(10**15), 10**15), WAYS_NS)
def test_the_true_offset_lies_within_the_uncertainty_however_lopsided_the_way(
    true_ns: int, ways_ns: list[tuple[int, int]]
) -> None:
    exchanges = [
        Exchange(at_ns, at_ns + there_ns + true_ns, at_ns + there_ns + back_ns)
        for at_ns, (there_ns, back_ns) in enumerate(ways_ns, 10**9)
    ]
    found = offset(exchanges)
    assert abs(found.offset_ns - true_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns == (min(map(sum, ways_ns)) + 1) // 2


def test_the_same_clock_is_exactly_the_same_and_one_that_only_says_so_is_not() -> None:
    assert offset([Exchange(1000, 1070, 1100)], same=True) == Offset(1050)
    assert offset([Exchange(1000, 9000, 1100)], same=True) == Offset(1050, 7950, 50)


@given(st.floats(-DRIFT_PPM, DRIFT_PPM), st.integers(-(10**15), 10**15))
def test_moments_of_a_clock_that_drifts_evenly_become_ours(ppm: float, ahead_ns: int) -> None:
    ours_ns = np.linspace(10**9, 61 * 10**9, 100).astype(np.int64)
    ahead = ahead_ns + np.rint((ours_ns - 10**9) * ppm / 1e6).astype(np.int64)
    clock = Translation(Offset(10**9, ahead_ns, 100), Offset(61 * 10**9, int(ahead[-1]), 100))
    found_ns = clock.ours(ours_ns + ahead)
    # one part of the drift is counted in their seconds, not in ours
    assert np.abs(found_ns - ours_ns).max() <= 2 + 60e9 * (ppm / 1e6) ** 2
    assert clock.uncertainty_ns == 100


def test_no_translation_of_a_moment_that_did_not_come() -> None:
    clock = Translation(Offset(0, 5), Offset(10**9, 5))
    assert clock.ours(np.array([NEVER, 105], np.int64)).tolist() == [NEVER, 100]


def test_what_no_quartz_drifts_is_doubt() -> None:
    jumped = Translation(Offset(0, 0, 100), Offset(10**10, 5 * 10**6, 100))
    assert 2 * 10**6 < jumped.uncertainty_ns < 5 * 10**6
    unasked = Translation.until(Offset(0, 7, 100), 10**10)
    assert unasked.uncertainty_ns == 100 + round(DRIFT_PPM / 1e6 * 10**10)
    assert Translation.until(Offset(0), 10**10).uncertainty_ns == 0
