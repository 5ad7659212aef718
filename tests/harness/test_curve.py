import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trials.brackets import Verdict
from analysis.trials.questions import BLOCKING, SATURATION
from harness.search.confirm import Step, Terms
from harness.search.curve import E6, FROM, TO, common_rates, curve
from harness.search.policy import Goal, Observation, next_step

LOWEST, HIGHEST = 0.5, 680.0
UNCONFIRMED = Terms(2.0, 0.0, 1.25)


def goal_of(saturation: float | None, blocking: float | None) -> Goal:
    return Goal(1.25, LOWEST, HIGHEST, {SATURATION: saturation, BLOCKING: blocking}, curves=True)


def step_of(rate: float, saturation: float, blocking: float = math.inf) -> Observation:
    """Return what a step shows of a target that never errs."""
    answers = {BLOCKING: Verdict(rate, rate > blocking), SATURATION: Verdict(rate, rate > saturation)}
    return Observation(rate, answers, min(rate, saturation))


def search(goal: Goal, saturation: float, blocking: float = math.inf) -> tuple[list[Step], list[float]]:
    """Return the trials of a search and all rates that it met."""
    seen: list[Observation] = []
    steps: list[Step] = []
    while (step := next_step(goal, UNCONFIRMED, seen)) is not None:
        steps.append(step)
        seen += [step_of(rate, saturation, blocking) for rate in step.stairs or (step.rate_per_s,)]
        assert len(steps) < 12
    return steps, [each.rate_per_s for each in seen]


@given(st.floats(0.1, 50), st.floats(100, 5_000))
def test_common_rates_are_preferred_numbers_and_the_end_of_the_range(lowest: float, highest: float) -> None:
    *rates, last = common_rates(lowest, highest)
    assert last == highest
    assert all(lowest <= rate < highest for rate in rates)
    assert all(any(math.isclose(rate / 10 ** math.floor(math.log10(rate)), n) for n in E6) for rate in rates)
    assert all(1.2 <= high / low <= 1.9 for low, high in itertools.pairwise([*rates, last]))


@given(st.floats(5, 500))
def test_a_curve_reaches_from_a_fifth_of_the_saturation_to_well_above_it(saturation: float) -> None:
    rates = curve(LOWEST, HIGHEST, saturation)
    assert rates[0] <= FROM * saturation
    assert rates[-1] >= TO * saturation or rates[-1] == HIGHEST
    assert 6 <= len(rates) <= 8
    assert set(rates) <= set(common_rates(LOWEST, HIGHEST))


def test_what_never_saturates_gets_a_curve_up_to_the_highest_rate() -> None:
    assert curve(LOWEST, HIGHEST, math.inf) == [100, 150, 220, 330, 470, 680]


def test_where_nothing_is_known_the_highest_rate_goes_first_and_tells_where_the_curve_lies() -> None:
    steps, rates = search(goal_of(None, None), saturation=60)
    assert steps[0] == Step(HIGHEST)
    assert steps[1].stairs == tuple(curve(LOWEST, HIGHEST, 60))
    assert set(curve(LOWEST, HIGHEST, 60)) < set(rates)


def test_a_prediction_saves_that_trial_and_the_stairs_end_at_the_highest_rate() -> None:
    steps, _ = search(goal_of(60, None), saturation=60)
    assert steps[0].stairs == (*curve(LOWEST, HIGHEST, 60), HIGHEST)
    assert len(steps) == 2


def test_no_stairs_go_on_to_the_highest_rate_where_theory_says_that_the_api_blocks_below() -> None:
    steps, rates = search(goal_of(60, 55), saturation=60, blocking=55)
    assert steps[0].stairs == tuple(curve(LOWEST, HIGHEST, 60))
    assert HIGHEST not in rates


def test_what_blocks_at_any_rate_is_seen_at_the_lowest_rate_in_the_same_run() -> None:
    steps, _ = search(goal_of(math.inf, 0.0), saturation=math.inf, blocking=0.1)
    assert steps[0].stairs[0] == LOWEST
    assert len(steps) == 1


@given(st.floats(5, 500), st.floats(0.2, 5), st.floats(0.4, 1.5))
def test_however_wrong_the_prediction_the_curve_is_there_and_both_points_are_found(
    saturation: float, error: float, share: float
) -> None:
    blocking = share * saturation
    steps, rates = search(goal_of(saturation * error, blocking * error), saturation, blocking)
    common = [rate for rate in curve(LOWEST, HIGHEST, saturation) if rate in rates]
    assert len(common) >= len(curve(LOWEST, HIGHEST, saturation)) - 1
    for truth in (saturation, min(blocking, HIGHEST / 1.3)):
        below = max(rate for rate in rates if rate <= truth)
        above = min(rate for rate in rates if rate > truth)
        assert above / below <= 1.25 * 1.001
    assert len(steps) <= 7


def test_several_rates_are_met_in_one_trial_and_only_rise() -> None:
    steps, _ = search(goal_of(400, 360), saturation=390, blocking=350)
    assert len(steps) <= 3
    for step in steps:
        assert list(step.stairs) == sorted(step.stairs)
        assert not step.stairs or step.stairs[-1] == step.rate_per_s


@pytest.mark.parametrize("saturation", [None, 60.0])
def test_without_curves_each_trial_has_one_rate(saturation: float | None) -> None:
    goal = Goal(1.25, LOWEST, HIGHEST, {SATURATION: saturation, BLOCKING: None})
    assert all(not step.stairs for step in search(goal, 60)[0])
