from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trials.brackets import Bracket, Verdict, bracket, covering
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.slowness import Spells
from harness.search.confirm import Step, Terms
from harness.search.goal import Goal, Observation, verdicts
from harness.search.policy import next_step
from harness.search.recheck import LONGER, recheck

GOAL = Goal(1.05, 1.0, 600.0, {SATURATION: 200.0, BLOCKING: float("inf")}, curves=True)
TERMS = Terms(2.0, 15.0, 1.05)
HELD, FAILED, LEANS_HELD, LEANS_FAILED = (False, True), (True, True), (False, False), (True, False)


def seen_at(rate: float, behind: tuple[bool, bool], margin: float = 0.05) -> Observation:
    answers = {BLOCKING: Verdict(rate, failed=False), SATURATION: Verdict(rate, *behind, margin)}
    return Observation(rate, answers, min(rate, 200.0))


@pytest.mark.parametrize(
    ("why", "seen", "again"),
    [
        ("the interval is narrow", [(195, HELD), (204, FAILED)], []),
        ("it is wide, but nothing leans", [(180, HELD), (204, FAILED)], []),
        ("one leans below it", [(183, LEANS_FAILED), (195, HELD), (204, FAILED)], [183]),
        (
            "and one above it",
            [(183, LEANS_FAILED), (195, HELD), (204, FAILED), (220, LEANS_HELD)],
            [183, 220],
        ),
        (
            "the lowest of those that lean",
            [(183, LEANS_FAILED), (190, LEANS_FAILED), (195, HELD), (204, FAILED)],
            [183],
        ),
        ("an edge only leans", [(180, HELD), (204, LEANS_FAILED)], [204]),
        (
            "two certain ones outvote it",
            [(183, LEANS_FAILED), (185, HELD), (195, HELD), (204, FAILED)],
            [],
        ),
    ],
)
def test_what_leans_and_widens_is_seen_again(
    why: str, seen: list[tuple[float, tuple[bool, bool]]], again: list[float]
) -> None:
    wanted = Step.meeting(again, LONGER) if again else None
    assert recheck(GOAL, TERMS, [seen_at(*each) for each in seen]) == wanted, why


def test_the_second_look_settles_it() -> None:
    seen = [seen_at(183, LEANS_FAILED), seen_at(195, HELD), seen_at(204, FAILED)]
    assert recheck(GOAL, TERMS, seen) == Step(183, longer=LONGER)
    seen.append(seen_at(183, HELD, 0.05 / LONGER))
    answers = verdicts(seen, SATURATION)
    assert covering(bracket(answers), answers) == Bracket(195, 204)
    assert not recheck(GOAL, TERMS, seen)


def test_the_third_look_is_the_last_and_as_long_as_a_trial_may_be() -> None:
    seen = [seen_at(183, LEANS_FAILED), seen_at(183, LEANS_HELD), seen_at(195, HELD), seen_at(204, FAILED)]
    assert recheck(GOAL, TERMS, seen) == Step(183, TERMS.longest_schedule_s)
    assert not recheck(GOAL, TERMS, [*seen, seen_at(183, LEANS_FAILED)])


def test_there_is_no_third_look_where_it_would_not_be_much_longer() -> None:
    fast = Spells(100, TERMS.longest_s / 3, (), (), (), 0.0)

    def long_seen(rate: float, behind: tuple[bool, bool]) -> Observation:
        return replace(seen_at(rate, behind), streams={"accept": fast})

    seen = [
        long_seen(183, LEANS_FAILED),
        long_seen(183, LEANS_HELD),
        seen_at(195, HELD),
        seen_at(204, FAILED),
    ]
    assert not recheck(GOAL, TERMS, seen)


def test_where_an_edge_of_a_narrow_interval_only_leans_it_gets_no_third_look() -> None:
    blind = replace(GOAL, blind=True)
    seen = [seen_at(195, LEANS_HELD), seen_at(204, FAILED)]
    assert recheck(blind, TERMS, seen) == Step(195, longer=LONGER)
    assert not recheck(blind, TERMS, [*seen, seen_at(195, LEANS_HELD)])


@given(st.integers(0, 2**32 - 1), st.floats(60, 400))
def test_a_search_whose_certain_verdicts_are_right_ends_with_the_truth_inside(
    seed: int, saturation: float
) -> None:
    random = np.random.default_rng(seed)
    seen: list[Observation] = []
    while (step := next_step(GOAL, TERMS, seen)) is not None:
        longer = LONGER**2 if step.seconds else step.longer
        for rate in step.stairs or (step.rate_per_s,):
            off = np.log(rate / saturation)
            certain = bool(abs(off) > 0.06 / longer)
            error = 0.0 if certain else random.normal(0, 0.03 / longer)
            seen.append(seen_at(rate, (bool(off + error > 0), certain), 0.05 / longer))
        assert len(seen) < 80
    answers = verdicts(seen, SATURATION)
    found = covering(bracket(answers), answers)
    assert found.held is not None
    assert found.failed is not None
    assert found.held / 1.05 <= saturation <= found.failed * 1.05
