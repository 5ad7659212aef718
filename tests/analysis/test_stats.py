import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.stats import (
    block_interval,
    block_length,
    censored_percentile,
    ratio_interval,
    shaky,
    t_quantile,
)
from results.percentile import percentile

samples = hnp.arrays(float, st.integers(1, 200), elements=st.floats(0, 1e6))


def test_a_censored_percentile_of_nothing_is_nan() -> None:
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


def pairs(seed: int, runs: int, between: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two sets of runs that do not differ: 600 samples of lag-1 correlation 0.97, runs apart by `between`."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2 * runs, 600))
    values = np.empty_like(noise)
    values[:, 0] = noise[:, 0] / np.sqrt(1 - 0.97**2)
    for i in range(1, noise.shape[1]):
        values[:, i] = 0.97 * values[:, i - 1] + noise[:, i]
    values = np.exp(values / 4 + between * rng.normal(size=(2 * runs, 1)))
    return list(values[:runs]), list(values[runs:])


@pytest.mark.parametrize(
    ("runs", "between", "least"), [(1, 0.0, 12), (2, 0.0, 18), (2, 0.5, 16), (3, 0.3, 18), (5, 0.3, 18)]
)
def test_ratios_of_runs_that_do_not_differ_cover_one_where_pooled_samples_do_not(
    runs: int, between: float, least: int
) -> None:
    covered, naive = 0, 0
    for seed in range(20):
        ours, theirs = pairs(seed, runs, between)
        low, high = ratio_interval(ours, theirs, 50, seed)
        covered += low <= 1 <= high
        rng = np.random.default_rng(seed)
        pooled = [np.concatenate(each) for each in (ours, theirs)]
        draws = [np.median(rng.choice(each, (40, len(each))), axis=1) for each in pooled]
        narrow = np.percentile(draws[0] / draws[1], [2.5, 97.5])
        naive += narrow[0] <= 1 <= narrow[1]
    assert covered >= least  # of 20; one run of 600 samples has few blocks
    assert naive <= 9


def test_two_runs_that_differ_say_little_and_many_say_much() -> None:
    figures = [np.array([value]) for value in (90.0, 110.0) * 10]
    ones = [np.ones(1)] * len(figures)
    low, high = ratio_interval(figures[:2], ones[:2], 99)
    assert shaky(low, high)
    assert low < 50
    assert high > 200
    low, high = ratio_interval(figures, ones, 99)
    assert not shaky(low, high)
    assert 90 < low < np.sqrt(90 * 110) < high < 110


def test_a_difference_is_found_and_is_the_same_each_time() -> None:
    ours, theirs = pairs(1, 6, 0.0)
    doubled = [2 * run for run in theirs]
    low, high = ratio_interval(doubled, theirs, 50)
    assert low <= 2 <= high
    assert low > 1
    assert ratio_interval(ours, theirs, 99) == ratio_interval(ours, theirs, 99)


def test_ratios_need_partners_and_positive_figures() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match="paired"):
        ratio_interval([one], [], 50)
    assert np.isnan(ratio_interval([], [], 50)).all()
    assert np.isnan(ratio_interval([one], [np.zeros(1)], 50)).all()
    assert shaky(np.nan, np.nan)


def test_student_s_quantiles() -> None:
    assert [t_quantile(n) for n in (1, 4, 10)] == [12.706, 2.776, 2.228]
    assert t_quantile(14) == pytest.approx(2.145, abs=0.002)
    assert t_quantile(10_000) == pytest.approx(1.96, abs=0.001)
