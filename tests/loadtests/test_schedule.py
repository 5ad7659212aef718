import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.schedule import NS_PER_S, PlannedStep, boundaries_ns, offsets_ns, plan
from results.terms import Stream

steps = st.lists(
    st.builds(
        PlannedStep,
        seconds=st.floats(0.1, 5),
        rate_per_s=st.floats(0, 300),
        duration_ms=st.floats(0, 1000),
    ),
    min_size=1,
    max_size=4,
)
seeds = st.integers(0, 2**32 - 1)
spacings = st.sampled_from(["poisson", "constant"])


@given(steps, seeds, spacings, st.floats(0, 50))
def test_a_schedule_is_sorted_numbered_and_within_its_stretches(
    parts: list[PlannedStep], seed: int, arrivals: str, bystander_per_s: float
) -> None:
    schedule = plan(parts, seed=seed, arrivals=arrivals, bystander_per_s=bystander_per_s)
    edges = boundaries_ns(parts)
    assert np.all(np.diff(schedule.due_ns) >= 0)
    assert np.all(schedule.due_ns >= np.array(edges)[schedule.step])
    assert np.all(schedule.due_ns <= np.array(edges)[schedule.step + 1])
    for stream in Stream:
        mine = schedule.arrival[schedule.stream == stream]
        assert mine.tolist() == list(range(len(mine)))


@given(steps, seeds, spacings)
def test_the_same_seed_gives_the_same_arrivals(parts: list[PlannedStep], seed: int, arrivals: str) -> None:
    first, second = (plan(parts, seed=seed, arrivals=arrivals, bystander_per_s=5) for _ in range(2))
    for name in ("due_ns", "stream", "arrival", "step"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


@given(seeds, st.floats(0, 1000))
def test_arrivals_depend_neither_on_the_duration_nor_on_the_bystanders(seed: int, duration_ms: float) -> None:
    plain = plan([PlannedStep(3, 50, 10)], seed=seed)
    other = plan([PlannedStep(3, 50, duration_ms)], seed=seed, bystander_per_s=20)
    assert np.array_equal(plain.due_ns, other.due_ns[other.stream == Stream.TASKS])


@given(steps, seeds, st.integers(1, 5))
def test_shards_partition_the_schedule_exactly(parts: list[PlannedStep], seed: int, count: int) -> None:
    whole = plan(parts, seed=seed, bystander_per_s=10)
    shards = [whole.shard(index, count) for index in range(count)]
    pairs = [(s, a, d) for x in shards for s, a, d in zip(x.stream, x.arrival, x.due_ns, strict=True)]
    assert sorted(pairs) == sorted(zip(whole.stream, whole.arrival, whole.due_ns, strict=True))
    assert len(set(pairs)) == len(whole)


@given(steps)
def test_stretches_follow_each_other_without_a_gap(parts: list[PlannedStep]) -> None:
    edges = boundaries_ns(parts)
    assert edges[0] == 0
    assert len(edges) == len(parts) + 1
    assert edges[-1] == pytest.approx(sum(p.seconds for p in parts) * NS_PER_S, abs=1)


def test_poisson_arrivals_spread_as_chance_does_though_their_number_is_fixed() -> None:
    rate_per_s, seconds, looks = 200.0, 10.0, 200
    random = np.random.default_rng(1)
    counts = []
    for _ in range(looks):
        due = offsets_ns(rate_per_s, seconds, "poisson", random)
        assert len(due) == rate_per_s * seconds
        counts.append(np.count_nonzero(due < seconds * NS_PER_S / 2))
    # a binomial half of 2,000: the mean within 5 standard errors, the variance within a third
    assert np.mean(counts) == pytest.approx(1000, abs=5 * (500 / looks) ** 0.5)
    assert np.var(counts) == pytest.approx(500, rel=0.4)


@given(st.floats(1, 500), st.floats(0.5, 5), st.floats(0, 0.9), seeds)
def test_what_is_measured_has_the_rate_that_was_asked_for(
    rate_per_s: float, seconds: float, warm_up: float, seed: int
) -> None:
    due = offsets_ns(rate_per_s, seconds, "poisson", np.random.default_rng(seed), warm_up)
    measured = np.count_nonzero(due >= warm_up * seconds * NS_PER_S)
    assert abs(len(due) - rate_per_s * seconds) <= 0.5
    assert abs(measured - rate_per_s * seconds * (1 - warm_up)) <= 2


@given(st.floats(1, 500), st.floats(0.5, 5))
def test_constant_arrivals_are_evenly_spaced(rate_per_s: float, seconds: float) -> None:
    due = offsets_ns(rate_per_s, seconds, "constant", np.random.default_rng(0))
    assert abs(len(due) - rate_per_s * seconds) <= 0.5
    assert np.allclose(np.diff(due), NS_PER_S / rate_per_s, atol=1)


@given(seeds)
def test_one_seed_gives_the_same_pattern_at_every_rate(seed: int) -> None:
    slow = offsets_ns(10, 20, "poisson", np.random.default_rng(seed))
    fast = offsets_ns(100, 2, "poisson", np.random.default_rng(seed))
    assert len(slow) == len(fast)
    assert np.allclose(slow, fast * 10, atol=20)
