import dataclasses
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.questions import BLOCKING, SATURATION
from harness.search.goal import Goal, Observation, capacity, verdicts
from harness.search.narrow import next_rate
from harness.search.recheck import recheck

LOWEST, HIGHEST, NEVER = 1.0, 2_000.0, 1e9
Target = Callable[[float], Observation]

rates = st.floats(2, 1_500)
precisions = st.sampled_from([1.05, 1.1, 1.25])


def goal_of(
    precision: float, saturation: float | None = None, blocking: float | None = None, patience: int = 3
) -> Goal:
    return Goal(precision, LOWEST, HIGHEST, {BLOCKING: blocking, SATURATION: saturation}, patience)


def observed(
    rate: float, blocked: tuple[bool, bool], behind: tuple[bool, bool], completions: float
) -> Observation:
    """Return a trial; of each answer, whether it gave way and whether that is certain."""
    answers = {BLOCKING: Verdict(rate, *blocked), SATURATION: Verdict(rate, *behind)}
    return Observation(rate, answers, completions)


def found_of(seen: list[Observation], question: str) -> Bracket:
    return bracket(verdicts(seen, question))


def target(saturation: float, blocking: float = NEVER, error: float = 0.0, seed: int = 0) -> Target:
    """Return what trials of a target would show whose verdicts err by about `error`, in the rate."""
    random = np.random.default_rng(seed)

    def measure(rate: float) -> Observation:
        offset = random.normal(0, error, 2) if error else np.zeros(2)
        blocked = bool(rate * math.exp(offset[0]) > blocking), abs(math.log(rate / blocking)) >= 2 * error
        behind = bool(rate * math.exp(offset[1]) > saturation), abs(math.log(rate / saturation)) >= 2 * error
        return observed(rate, blocked, behind, min(rate, saturation))

    return measure


def search(goal: Goal, measure: Target, limit: int = 60) -> list[Observation]:
    seen: list[Observation] = []
    while (rate := next_rate(goal, seen)) is not None:
        seen.append(measure(rate))
        assert goal.lowest_per_s <= rate <= goal.highest_per_s
        assert len(seen) <= limit, [observation.rate_per_s for observation in seen]
    return seen


@given(saturation=rates, share=st.floats(0.3, 3), precision=precisions)
def test_without_a_prediction_both_points_are_found_in_twelve_trials(
    saturation: float, share: float, precision: float
) -> None:
    blocking = saturation * share
    seen = search(goal_of(precision), target(saturation, blocking))
    behind, blocked = (found_of(seen, question) for question in (SATURATION, BLOCKING))
    assert behind.held is not None
    assert behind.failed is not None
    assert behind.held <= saturation <= behind.failed <= precision * behind.held
    if LOWEST < blocking < HIGHEST:
        assert blocked.held is not None
        assert blocked.held <= blocking
        assert blocked.width <= precision or blocking > HIGHEST / precision
    assert len(seen) <= 14 if precision < 1.1 else 12


@given(saturation=rates, telling=st.floats(0.6, 0.95), precision=precisions)
def test_a_blind_search_is_not_led_astray_by_trials_that_tell_too_little(
    saturation: float, telling: float, precision: float
) -> None:
    """Well below the point the work keeps up, and no trial there is long enough to be certain of it."""

    def measure(rate: float) -> Observation:
        behind = rate > saturation
        certain = behind or rate > telling * saturation
        return observed(rate, (False, certain), (behind, certain), min(rate, saturation))

    seen = search(dataclasses.replace(goal_of(precision), blind=True), measure)
    tried = [each.rate_per_s for each in seen]
    first = next(number for number, each in enumerate(seen) if each.overloaded)
    assert tried[:first] == sorted(tried[:first])
    assert [rate for rate in tried[first:] if rate < 0.5 * saturation] == []
    found = found_of(seen, SATURATION)
    assert found.held is not None
    assert found.failed is not None
    assert found.held <= saturation < found.failed
    assert found.width <= precision


@given(saturation=rates, share=st.floats(0.1, 0.6), precision=precisions)
def test_a_blind_search_does_not_believe_ends_that_were_seen_late(
    saturation: float, share: float, precision: float
) -> None:
    """What is asked of a server that is held up answers late: too little is seen to end, too far up."""

    def measure(rate: float) -> Observation:
        behind = rate > saturation
        certain = rate > 1.2 * saturation
        return observed(rate, (False, False), (behind, certain), saturation * share if behind else rate)

    goal = dataclasses.replace(goal_of(precision), blind=True, lengthens=True)
    seen = search(goal, measure)
    found = found_of(seen, SATURATION)
    assert found.held is not None
    assert found.failed is not None
    assert found.held <= saturation <= found.failed
    assert len(seen) <= 24


@given(saturation=rates, precision=precisions)
def test_a_blind_search_leaves_to_longer_trials_what_short_ones_cannot_tell(
    saturation: float, precision: float
) -> None:
    """Below the point none is certain, but far below: no rate between is worth a trial of the same length."""

    def measure(rate: float) -> Observation:
        behind = rate > saturation
        certain = behind or rate < 0.2 * saturation
        return observed(rate, (False, True), (behind, certain), min(rate, saturation))

    goal = dataclasses.replace(goal_of(precision), blind=True, lengthens=True)
    seen = search(goal, measure)
    first = next(number for number, each in enumerate(seen) if each.overloaded)
    assert len(seen) - first <= 4 + goal.patience
    assert recheck(goal, [*seen, measure(0.19 * saturation)])


@given(saturation=rates, seed=st.integers(0, 2**32 - 1), precision=precisions)
def test_where_certain_verdicts_contradict_each_other_no_further_one_is_asked_for(
    saturation: float, seed: int, precision: float
) -> None:
    """Near the point a short trial is blocked or not by chance: only a long one settles that."""
    random = np.random.default_rng(seed)

    def measure(rate: float) -> Observation:
        near = 0.8 < rate / saturation < 1.25
        blocked = bool(random.random() < 0.5) if near else rate > saturation
        return observed(rate, (blocked, True), (False, True), rate)

    goal = dataclasses.replace(goal_of(precision), expected_per_s={BLOCKING: None})
    curve = (0.5, 0.83, 0.95, 1.1, 1.2, 2.0)
    seen = [measure(share * saturation) for share in curve]
    while (rate := next_rate(goal, seen)) is not None:
        failing = min(each.rate_per_s for each in seen if each.failed(BLOCKING))
        holding = max(each.rate_per_s for each in seen if not each.failed(BLOCKING))
        assert not failing < rate < holding
        seen.append(measure(rate))
    found = found_of(seen, BLOCKING)
    assert found.disputed or found.width <= precision
    assert len(seen) <= len(curve) + 12


@given(saturation=rates, error=st.floats(0.98, 1.02), precision=precisions)
def test_a_good_prediction_needs_few_trials(saturation: float, error: float, precision: float) -> None:
    goal = goal_of(precision, saturation * error, 0.97 * saturation * error)
    seen = search(goal, target(saturation, 0.97 * saturation))
    assert len(seen) <= 6
    for question, truth in ((SATURATION, saturation), (BLOCKING, 0.97 * saturation)):
        found = found_of(seen, question)
        assert found.held is not None
        assert found.held <= truth
        assert found.failed is None or truth <= found.failed


@given(saturation=rates, error=st.floats(0.2, 5), precision=precisions)
def test_a_wrong_prediction_is_overcome(saturation: float, error: float, precision: float) -> None:
    seen = search(goal_of(precision, saturation * error, None), target(saturation))
    found = found_of(seen, SATURATION)
    assert found.held is not None
    assert found.held <= saturation
    assert found.width <= precision or saturation > HIGHEST / precision
    assert len(seen) <= 16


@pytest.mark.parametrize("error", [0.005, 0.01, 0.02])
@pytest.mark.parametrize("precision", [1.05, 1.1])
def test_where_verdicts_err_the_interval_widens_and_holds_the_truth(error: float, precision: float) -> None:
    missed = 0
    for seed in range(100):
        saturation = 10 ** np.random.default_rng(seed).uniform(1, 3)
        measure = target(saturation, error=error, seed=seed)
        seen: list[Observation] = []
        goal = goal_of(precision, saturation)
        while len(seen) < 12 and (rate := next_rate(goal, seen)) is not None:
            seen.append(measure(rate))
        found = found_of(seen, SATURATION)
        missed += not (found.held or 0) <= saturation <= (found.failed or math.inf)
    assert missed <= 10


def test_one_overloaded_trial_says_where_to_look() -> None:
    goal = goal_of(1.1)
    seen = [target(100)(45), target(100)(180), target(100)(HIGHEST)]
    assert capacity(seen) == 100
    following = next_rate(goal, seen)
    assert following is not None
    assert 100 / 1.1 <= following <= 100


def test_an_api_that_its_work_does_not_touch_is_tried_at_the_highest_rate() -> None:
    goal = goal_of(1.1, saturation=100)
    seen = search(goal, target(100))
    assert max(observation.rate_per_s for observation in seen) == HIGHEST
    assert len(seen) == 3


def test_an_api_that_always_blocks_is_tried_at_the_lowest_rate() -> None:
    seen = search(goal_of(1.1, None, 0.0), target(NEVER, 0.0001))
    assert min(observation.rate_per_s for observation in seen) == LOWEST
    assert len(seen) <= 5


def test_an_uncertain_verdict_is_no_edge_but_says_where_to_look() -> None:
    goal = goal_of(1.1, saturation=90)
    seen = [
        observed(86, (False, True), (False, True), 86),
        observed(94.5, (False, True), (True, False), 94),
        observed(HIGHEST, (False, True), (True, True), 94.2),
    ]
    found = found_of(seen, SATURATION)
    assert (found.held, found.failed) == (86, HIGHEST)
    following = next_rate(goal, seen)
    assert following is not None
    assert 94.5 * 1.03 < following < 94.5 * 1.1


def test_verdicts_that_stay_uncertain_end_the_search() -> None:
    goal = goal_of(1.1, saturation=100, patience=2)
    unsure = [observed(rate, (False, True), (rate > 100, False), min(rate, 100)) for rate in (98, 102)]
    edges = [observed(rate, (False, True), (rate > 100, True), min(rate, 100)) for rate in (93, 110, HIGHEST)]
    assert next_rate(goal, [*unsure, *edges]) is None
    assert found_of([*unsure, *edges], SATURATION).failed == 110


@given(saturation=rates, precision=precisions)
def test_what_far_below_only_leans_is_no_hint(saturation: float, precision: float) -> None:
    """Few tasks come there in the time of a step, so that none of them is certain."""
    law = 1.1 * saturation

    def measure(rate: float) -> Observation:
        return observed(
            rate, (False, True), (rate > saturation, rate > 0.9 * saturation), min(rate, saturation)
        )

    curve = [measure(share * law) for share in (0.1, 0.2, 0.3, 0.45, 0.6, 1.3)]
    goal, seen = Goal(precision, LOWEST, HIGHEST, {SATURATION: law}, lengthens=True), list(curve)
    while (rate := next_rate(goal, seen)) is not None and len(seen) < 20:
        seen.append(measure(rate))
    aimed = [each.rate_per_s for each in seen[len(curve) :]]
    assert all(rate > saturation / precision**2 for rate in aimed)
    assert len(aimed) <= 4


@given(
    st.lists(
        st.builds(
            observed,
            st.floats(1, 2_000),
            st.tuples(st.booleans(), st.booleans()),
            st.tuples(st.booleans(), st.booleans()),
            rates,
        ),
        max_size=8,
    )
)
def test_whatever_was_seen_the_next_rate_is_a_new_one(seen: list[Observation]) -> None:
    goal = goal_of(1.1)
    rate = next_rate(goal, seen)
    assert rate == next_rate(goal, seen)
    if rate is not None:
        assert LOWEST <= rate <= HIGHEST
        assert rate not in {observation.rate_per_s for observation in seen}


@given(st.lists(st.tuples(st.sampled_from([10.0, 20.0, 30.0, 40.0]), st.booleans()), max_size=10))
def test_no_verdict_lies_on_the_wrong_side_of_a_bracket(answers: list[tuple[float, bool]]) -> None:
    found = bracket(Verdict(rate, failed) for rate, failed in answers)
    for rate, failed in answers:
        assert not (failed and found.held is not None and rate <= found.held)
        assert not (not failed and found.failed is not None and rate >= found.failed)
    edges = [edge for edge in (found.held, found.failed) if edge is not None]
    assert all(low < high for low, high in itertools.pairwise(edges))


def test_a_third_question_is_searched_like_the_others() -> None:
    """Theory knows nothing of it; it gives way between the other two."""
    goal = goal_of(1.1, 100, 80)
    goal = dataclasses.replace(goal, expected_per_s={**goal.expected_per_s, "third": None})

    def measure(rate: float) -> Observation:
        seen = target(100, 80)(rate)
        return dataclasses.replace(seen, verdicts={**seen.verdicts, "third": Verdict(rate, rate > 400)})

    seen = search(goal, measure)
    for question, truth in ((SATURATION, 100), (BLOCKING, 80), ("third", 400)):
        found = found_of(seen, question)
        assert (found.held or 0) <= truth <= (found.failed or 0)
        assert found.width <= goal.precision
