from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.draws import LONGEST_DRAWN_MS, durations_ms, offsets_s
from results.lasting import EQUALLY, Lasting
from results.traffic import Traffic

seeds = st.integers(0, 2**32 - 1)
conditioned = st.sampled_from([Traffic(), Traffic("onoff"), Traffic("onoff", burst_mean_s=0.1)])


def drawn(traffic: Traffic, rate_per_s: float, seconds: float, seed: int, warm_up: float = 0.0) -> np.ndarray:
    return offsets_s(traffic, rate_per_s, seconds, np.random.default_rng(seed), warm_up)


def test_poisson_arrivals_spread_as_chance_does_though_their_number_is_fixed() -> None:
    rate_per_s, seconds, looks = 200.0, 10.0, 200
    random = np.random.default_rng(1)
    counts = []
    for _ in range(looks):
        due = offsets_s(Traffic(), rate_per_s, seconds, random)
        assert len(due) == rate_per_s * seconds
        counts.append(np.count_nonzero(due < seconds / 2))
    # a binomial half of 2,000: the mean within 5 standard errors, the variance within a third
    assert np.mean(counts) == pytest.approx(1000, abs=5 * (500 / looks) ** 0.5)
    assert np.var(counts) == pytest.approx(500, rel=0.4)


@given(conditioned, st.floats(1, 500), st.floats(0.5, 5), st.floats(0, 0.9), seeds)
def test_what_is_measured_has_the_rate_that_was_asked_for(
    traffic: Traffic, rate_per_s: float, seconds: float, warm_up: float, seed: int
) -> None:
    due = drawn(traffic, rate_per_s, seconds, seed, warm_up)
    measured = np.count_nonzero(due >= warm_up * seconds)
    assert np.all(np.diff(due) >= 0)
    assert np.all((due >= 0) & (due < seconds))
    assert abs(len(due) - rate_per_s * seconds) <= 0.5
    assert abs(measured - rate_per_s * seconds * (1 - warm_up)) <= 2


@given(st.floats(1, 500), st.floats(0.5, 5))
def test_constant_arrivals_are_evenly_spaced(rate_per_s: float, seconds: float) -> None:
    due = drawn(Traffic("constant"), rate_per_s, seconds, 0)
    assert abs(len(due) - rate_per_s * seconds) <= 0.5
    assert np.allclose(np.diff(due), 1 / rate_per_s, atol=1e-9)


@given(seeds)
def test_one_seed_gives_the_same_pattern_at_every_rate(seed: int) -> None:
    assert np.allclose(drawn(Traffic(), 10, 20, seed), drawn(Traffic(), 100, 2, seed) * 10, atol=1e-9)


def test_bursts_come_at_twice_the_rate_and_last_as_long_as_asked_for() -> None:
    rate_per_s, seconds, mean_s = 2_000.0, 400.0, 0.5
    due = drawn(Traffic("onoff", burst_mean_s=mean_s), rate_per_s, seconds, 1)
    gaps = np.diff(due)
    silent = gaps[gaps > 20 / rate_per_s]
    # silences shorter than 20 gaps are not seen: 2 % of them; 400 silences leave 5 % of error
    assert len(silent) == pytest.approx(seconds / (2 * mean_s), rel=0.03)
    assert silent.mean() == pytest.approx(mean_s, rel=0.03)
    assert silent.std() == pytest.approx(mean_s, rel=0.15)
    assert silent.sum() == pytest.approx(seconds / 2, rel=0.01)
    assert np.median(gaps) * rate_per_s == pytest.approx(np.log(2) / 2, rel=0.01)


@given(seeds, st.floats(50, 1000))
def test_the_bursts_of_a_seed_are_the_same_at_every_rate(seed: int, rate_per_s: float) -> None:
    dense, other = (drawn(Traffic("onoff"), rate, 4.0, seed, 0.2) for rate in (100_000.0, rate_per_s))
    gap = np.argmax(np.diff(dense))
    from_s, to_s = dense[gap], dense[gap + 1]
    assert not np.any((other > from_s + 1e-3) & (other < to_s - 1e-3))


@pytest.mark.parametrize("cv", [0.3, 1.0, 2.0])
def test_durations_have_the_mean_and_the_variation_that_were_asked_for(cv: float) -> None:
    drawn_ms = durations_ms(100.0, Lasting(cv), 1_000_000, np.random.default_rng(5))
    assert drawn_ms.mean() == pytest.approx(100, rel=0.01)
    assert drawn_ms.std() == pytest.approx(100 * cv, rel=0.03)
    assert np.log(drawn_ms).std() == pytest.approx(np.sqrt(np.log1p(cv**2)), rel=0.01)


def test_durations_are_what_a_request_can_say_and_a_target_takes() -> None:
    drawn_ms = durations_ms(30_000.0, Lasting(10.0), 10_000, np.random.default_rng(0))
    assert np.array_equal(drawn_ms, np.round(drawn_ms, 3))
    assert drawn_ms.min() > 0
    assert drawn_ms.max() == LONGEST_DRAWN_MS
    assert durations_ms(70.0, EQUALLY, 3, np.random.default_rng(0)).tolist() == [70.0, 70.0, 70.0]
    assert durations_ms(0.0, Lasting(2.0), 2, np.random.default_rng(0)).tolist() == [0.0, 0.0]


def test_a_trace_is_scaled_to_the_rate_and_repeated(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("offset,path\n0,/a\n1,/b\n1.5,/c\n9,/d\n")
    due = drawn(Traffic("trace", trace=str(file)), 50.0, 10.0, 1)
    assert len(due) == 500
    assert due[-1] < 10
    # its three gaps, 1, 0.5 and 7.5 s, follow each other for ever; their mean is 20 ms at 50/s
    assert sorted(np.diff(due)[:3] * 150) == pytest.approx([0.5, 1, 7.5], rel=0.01)
    gaps = np.diff(due)
    assert np.allclose(gaps[3:], gaps[:-3])


def test_the_seed_says_where_a_trace_begins(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("\n".join(map(str, np.cumsum(np.arange(100)))))
    first, again, other = (drawn(Traffic("trace", trace=str(file)), 5.0, 4.0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
