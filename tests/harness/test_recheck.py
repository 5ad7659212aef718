import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trials.brackets import Bracket, Verdict, bracket, covering
from analysis.trials.questions import BLOCKING, SATURATION
from harness.search.confirm import Terms
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
        ("it was seen again", [(183, LEANS_FAILED), (183, LEANS_HELD), (195, HELD), (204, FAILED)], []),
    ],
)
def test_what_leans_and_widens_is_seen_again(
    why: str, seen: list[tuple[float, tuple[bool, bool]]], again: list[float]
) -> None:
    assert recheck(GOAL, [seen_at(*each) for each in seen]) == again, why


def test_the_second_look_settles_it() -> None:
    seen = [seen_at(183, LEANS_FAILED), seen_at(195, HELD), seen_at(204, FAILED)]
    (again,) = recheck(GOAL, seen)
    seen.append(seen_at(again, HELD, 0.05 / LONGER))
    answers = verdicts(seen, SATURATION)
    assert covering(bracket(answers), answers) == Bracket(195, 204)
    assert not recheck(GOAL, seen)


@given(st.integers(0, 2**32 - 1), st.floats(60, 400))
def test_a_search_whose_certain_verdicts_are_right_ends_with_the_truth_inside(
    seed: int, saturation: float
) -> None:
    random = np.random.default_rng(seed)
    seen: list[Observation] = []
    while (step := next_step(GOAL, TERMS, seen)) is not None:
        for rate in step.stairs or (step.rate_per_s,):
            off = np.log(rate / saturation)
            certain = bool(abs(off) > 0.06 / step.longer)
            error = 0.0 if certain else random.normal(0, 0.03 / step.longer)
            seen.append(seen_at(rate, (bool(off + error > 0), certain), 0.05 / step.longer))
        assert len(seen) < 80
    answers = verdicts(seen, SATURATION)
    found = covering(bracket(answers), answers)
    assert found.held is not None
    assert found.failed is not None
    assert found.held / 1.05 <= saturation <= found.failed * 1.05
