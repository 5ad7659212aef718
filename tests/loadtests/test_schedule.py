import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.schedule import NS_PER_S, PlannedStep, boundaries_ns, plan
from results.terms import OFFERED_BY_ALL, Stream
from results.traffic import Traffic

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
spacings = st.sampled_from(["poisson", "constant", "onoff"])


@given(steps, seeds, spacings, st.floats(0, 50))
def test_a_schedule_is_sorted_numbered_and_within_its_stretches(
    parts: list[PlannedStep], seed: int, arrivals: str, bystander_per_s: float
) -> None:
    schedule = plan(parts, seed=seed, traffic=Traffic(arrivals), bystander_per_s=bystander_per_s)
    edges = boundaries_ns(parts)
    assert np.all(np.diff(schedule.due_ns) >= 0)
    assert np.all(schedule.due_ns >= np.array(edges)[schedule.step])
    assert np.all(schedule.due_ns <= np.array(edges)[schedule.step + 1])
    for stream in Stream:
        mine = schedule.arrival[schedule.stream == stream]
        assert mine.tolist() == list(range(len(mine)))


@given(steps, seeds, spacings)
def test_the_same_seed_gives_the_same_arrivals(parts: list[PlannedStep], seed: int, arrivals: str) -> None:
    first, second = (plan(parts, seed=seed, traffic=Traffic(arrivals), bystander_per_s=5) for _ in range(2))
    for name in ("due_ns", "stream", "arrival", "step", "duration_ms"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


@given(seeds, st.floats(0, 1000))
def test_arrivals_depend_neither_on_the_duration_nor_on_the_bystanders(seed: int, duration_ms: float) -> None:
    plain = plan([PlannedStep(3, 50, 10)], seed=seed)
    other = plan([PlannedStep(3, 50, duration_ms)], seed=seed, bystander_per_s=20)
    assert np.array_equal(plain.due_ns, other.due_ns[other.stream == Stream.TASKS])


@given(steps, seeds)
def test_one_more_bystander_leaves_all_others_as_they_were(parts: list[PlannedStep], seed: int) -> None:
    varied = Traffic(cv=1)
    usual = plan(parts, seed=seed, traffic=varied, bystander_per_s=5)
    more = plan(
        parts, seed=seed, traffic=varied, bystander_per_s=5, bystanders=[*OFFERED_BY_ALL, Stream.PING_DB]
    )
    others = more.stream != Stream.PING_DB
    for name in ("due_ns", "stream", "arrival", "step", "duration_ms"):
        assert np.array_equal(getattr(usual, name), getattr(more, name)[others])
    own = more.due_ns[~others]
    assert not any(len(own) and np.array_equal(own, usual.due_ns[usual.stream == each]) for each in Stream)


@given(steps, seeds, st.integers(1, 5))
def test_shards_partition_the_schedule_exactly(parts: list[PlannedStep], seed: int, count: int) -> None:
    whole = plan(parts, seed=seed, traffic=Traffic("onoff", cv=1), bystander_per_s=10)
    shards = [whole.shard(index, count) for index in range(count)]
    columns = ("stream", "arrival", "due_ns", "duration_ms")
    pairs = [row for x in shards for row in zip(*(getattr(x, name) for name in columns), strict=True)]
    assert sorted(pairs) == sorted(zip(*(getattr(whole, name) for name in columns), strict=True))
    assert len(set(pairs)) == len(whole)


@given(steps)
def test_stretches_follow_each_other_without_a_gap(parts: list[PlannedStep]) -> None:
    edges = boundaries_ns(parts)
    assert edges[0] == 0
    assert len(edges) == len(parts) + 1
    assert edges[-1] == pytest.approx(sum(p.seconds for p in parts) * NS_PER_S, abs=1)


@given(steps, seeds, st.builds(Traffic, cv=st.floats(0.1, 3)) | st.builds(Traffic, mix=st.floats(1.5, 100)))
def test_durations_are_drawn_apart_from_the_arrivals_and_the_same_at_every_rate(
    parts: list[PlannedStep], seed: int, traffic: Traffic
) -> None:
    fixed, varied, other = (
        plan(parts, seed=seed, traffic=own, bystander_per_s=rate)
        for own, rate in ((Traffic(), 5), (traffic, 5), (traffic, 20))
    )
    assert np.array_equal(fixed.due_ns, varied.due_ns)
    tasks = varied.stream == Stream.TASKS
    assert np.array_equal(varied.duration_ms[tasks], other.duration_ms[other.stream == Stream.TASKS])
    assert np.array_equal(fixed.duration_ms[tasks], [parts[index].duration_ms for index in fixed.step[tasks]])
    assert not varied.duration_ms[~tasks].any()


def test_a_faster_schedule_begins_with_the_durations_of_a_slower_one() -> None:
    slow, fast = (
        plan([PlannedStep(5, rate, 100)], seed=3, traffic=Traffic(cv=1)).duration_ms for rate in (20, 90)
    )
    assert np.array_equal(slow, fast[: len(slow)])
