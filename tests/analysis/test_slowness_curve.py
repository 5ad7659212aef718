"""The rate at which 1 % is slow, read off a curve: against the simulator's long run, and by itself."""

from collections.abc import Sequence

import pytest

from analysis.trials.slowness import Spells, observe, pool
from analysis.trials.slowness_curve import UNKNOWN, Crossing, crossing
from benchmarks.coverage.target import Target, run

PER_S = 100.0
POOL = Target(slots=40, mean_s=0.1)
TARGETS = {
    "fixed": (POOL, 362.0),
    "fixed, few slots": (Target(slots=10, mean_s=0.1), 71.2),
    "fixed, long": (Target(slots=40, mean_s=0.5), 59.9),
    "exponential": (Target(slots=40, mean_s=0.1, law="exponential"), 340.0),
    "bursts": (Target(slots=40, mean_s=0.1, arrivals="onoff"), 190.0),
}
"""targets, and the rate at which about 1 % of the requests to `/ping-sync` are slow in the long run"""
DESIGN = ((0.87, 4.0), (0.91, 90.0), (1.0, 60.0), (1.1, 60.0), (1.3, 4.0))
"""rates as shares of that, and the seconds for which each is seen"""
SEEDS = range(8)


def evidence(span_s: float, sizes: Sequence[int]) -> Spells:
    spells = tuple(sizes)
    return Spells(int(PER_S * span_s), span_s, spells=spells, own=spells, nearly=spells, assumed=0.15 * PER_S)


def simulated(target: Target, rate: float, span_s: float, seed: int) -> Spells:
    warm_up_s = span_s / 4
    whole = run(target, [rate], PER_S, span_s + warm_up_s, seed=seed, warm_up_s=warm_up_s)
    due, took = whole.latencies()[2]
    measured = due >= warm_up_s
    return observe(due[measured], took[measured] * 1000, span_s, 100.0)


def found(target: Target, truth: float, seed: int) -> Crossing:
    seeds = range(seed * len(DESIGN), (seed + 1) * len(DESIGN))
    spans = zip(DESIGN, seeds, strict=True)
    return crossing({truth * at: simulated(target, truth * at, span_s, own) for (at, span_s), own in spans})


@pytest.mark.parametrize("name", TARGETS)
def test_the_bounds_lie_on_both_sides_of_the_long_run_and_near_it(name: str) -> None:
    target, truth = TARGETS[name]
    all_found = [found(target, truth, seed) for seed in SEEDS]
    missed = [each for each in all_found if not each.low <= truth <= each.high]
    assert len(missed) <= 1
    assert sum(each.high / each.low <= 1.25 for each in all_found) > len(SEEDS) / 2


def test_of_no_slow_request_no_crossing_is_known() -> None:
    assert crossing({80.0: evidence(60, []), 100.0: evidence(60, [])}) == UNKNOWN


def test_slowness_that_does_not_grow_with_the_rate_has_no_lower_bound() -> None:
    stalled = crossing({rate: evidence(60, [30] * 6) for rate in (80.0, 90.0, 100.0)})
    assert stalled.low == 0
    assert stalled.likely < 80


def test_it_lies_between_what_was_seldom_slow_and_what_often_was() -> None:
    both = crossing({90.0: evidence(300, [10] * 3), 110.0: evidence(60, [20] * 15)})
    assert 90 < both.low < both.likely < both.high < 110


def test_as_many_slow_requests_in_fewer_spells_say_less() -> None:
    many, few = (
        crossing({90.0: evidence(200, [size] * (60 // size)), 110.0: evidence(60, [size] * (300 // size))})
        for size in (20, 60)
    )
    assert few.low < many.low < many.high < few.high


def test_longer_spans_narrow_the_bounds() -> None:
    seen = {90.0: evidence(60, [10]), 110.0: evidence(30, [20] * 6)}
    short, long = (crossing({rate: pool([each] * times) for rate, each in seen.items()}) for times in (1, 4))
    assert short.low < long.low < long.high < short.high


def test_rates_far_from_it_do_not_bend_the_curve() -> None:
    near = {90.0: evidence(90, [10]), 110.0: evidence(60, [20] * 15)}
    assert crossing(near | {1000.0: evidence(4, [400])}) == crossing(near)


def test_of_rates_that_are_all_far_from_it_the_bounds_are_wide() -> None:
    found = crossing({10.0: evidence(60, []), 1000.0: evidence(60, [100] * 20)})
    assert 10 < found.likely < 1000
    assert found.high / found.low > 1.5
