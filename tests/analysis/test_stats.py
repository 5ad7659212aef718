import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.stats import block_interval, block_length, censored_percentile, percentile

samples = hnp.arrays(float, st.integers(1, 200), elements=st.floats(0, 1e6))


@given(samples, st.sampled_from([1, 50, 90, 99, 100]))
def test_a_percentile_is_the_smallest_sample_that_enough_do_not_exceed(values: np.ndarray, p: int) -> None:
    found = percentile(values, p)
    assert found in values
    assert (values <= found).sum() >= len(values) * p / 100 - 1e-6
    assert (values < found).sum() < len(values) * p / 100 + 1e-6
    assert found == np.percentile(values, p, method="inverted_cdf")


def test_a_percentile_of_nothing_is_nan() -> None:
    assert np.isnan(percentile(np.empty(0), 50))
    assert np.isnan(censored_percentile(np.empty(0), np.empty(0), 50).value)


@given(samples, samples, st.sampled_from([50, 99]))
def test_an_unanswered_request_never_improves_a_percentile(
    values: np.ndarray, waits: np.ndarray, p: int
) -> None:
    truth = np.concatenate([values, waits + 1e7])  # they would have been answered very late
    found = censored_percentile(values, waits, p)
    assert found.value <= percentile(truth, p)
    assert found.at_least or found.value == percentile(truth, p)


def test_bounds_above_the_percentile_leave_it_certain() -> None:
    found = censored_percentile(np.arange(100.0), np.array([500.0]), 50)
    assert (found.value, found.at_least) == (50.0, False)


def autocorrelated(seed: int, n: int, memory: float = 0.97) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n)
    values = np.empty(n)
    values[0] = noise[0] / np.sqrt(1 - memory**2)
    for i in range(1, n):
        values[i] = memory * values[i - 1] + noise[i]
    return np.exp(values / 4)


def test_block_intervals_cover_the_truth_where_iid_ones_do_not() -> None:
    truth = percentile(autocorrelated(0, 400_000), 50)
    covered, naive = 0, 0
    for seed in range(1, 61):
        values = autocorrelated(seed, 4_000)
        low, high = block_interval(values, 50)
        covered += low <= truth <= high
        draws = np.random.default_rng(seed).choice(values, (200, len(values)))
        narrow = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
        naive += narrow[0] <= truth <= narrow[1]
    assert covered >= 48  # of 60; 95 % asked for, blocks give a little less
    assert naive <= 30


def test_an_interval_is_the_same_each_time_and_contains_its_percentile() -> None:
    values = autocorrelated(5, 3_000)
    assert block_interval(values, 99) == block_interval(values, 99)
    low, high = block_interval(values, 99)
    assert low <= percentile(values, 99) <= high


def test_few_samples_have_no_interval() -> None:
    assert np.isnan(block_interval(np.arange(19.0), 99)).all()
    assert not np.isnan(block_interval(np.arange(20.0), 99)).any()
    assert block_length(2_000) == 89
    assert block_length(20) == 5
