"""Which long trial comes next, once short ones have located where a target blocks."""

import math
from dataclasses import replace

import pytest

from analysis.trials.slowness import Spells, seconds_needed
from analysis.trials.slowness_by_rate import Seen, first_crossing
from harness.search.confirm import Step, Terms, confirmation, confirming

TERMS = Terms(shortest_s=5, longest_s=60, precision=1.1)
PER_S = 100


def seen(rate: float, span_s: float, *spells: int) -> Seen:
    """Return what one stream showed: the sizes of its slow spells."""
    return Seen(rate, {"ping_sync": Spells(int(PER_S * span_s), span_s, spells, spells, spells, 15.0)})


SLOW = seen(110, 4, 400)


def test_where_nothing_was_slow_the_highest_rate_is_seen_for_as_long_as_its_spells_ask_for() -> None:
    step = confirmation([seen(90, 4), seen(100, 4)], TERMS)
    assert step
    assert (step.rate_per_s, step.confirms) == (100, True)
    assert step.seconds == pytest.approx((seconds_needed(0.15) - 4) * 1.25)


def test_where_all_was_slow_the_lowest_rate_is_seen_again_until_that_is_sure() -> None:
    assert confirmation([seen(100, 4, 20), SLOW], TERMS) == Step(100, pytest.approx(26 * 1.25))
    assert confirmation([seen(100, 30, 20, 30, 40, 30, 20), SLOW], TERMS) is None


def test_both_sides_of_the_crossing_are_seen_by_turns_the_lower_one_first() -> None:
    begun = [seen(90, 4), seen(100, 4, 4), seen(108, 4, 20), seen(130, 4, 400)]
    middle = first_crossing(begun).likely
    first = confirmation(begun, TERMS)
    assert first
    assert middle / 1.13 < first.rate_per_s < middle / 1.05
    assert first.seconds == TERMS.longest_schedule_s
    second = confirmation([*begun, seen(first.rate_per_s, 60, 20)], TERMS)
    assert second
    assert second.rate_per_s > first.rate_per_s
    assert second.seconds == TERMS.longest_schedule_s / 2


def test_an_edge_that_the_curve_makes_sure_has_to_be_seen_itself() -> None:
    known = [seen(80, 100), seen(97, 70, 15, 15), seen(101, 70, *[15] * 8), seen(140, 4, 400)]
    found = first_crossing(known)
    assert found.high <= found.low * TERMS.precision**2
    step = confirmation(known, TERMS)
    assert step
    assert step.rate_per_s > found.high
    assert step.rate_per_s <= found.low * TERMS.precision**2


def test_where_both_edges_are_sure_nothing_is_left() -> None:
    assert confirmation([seen(100, 50), SLOW], TERMS) is None


@pytest.mark.parametrize("highest_per_s", [130, math.inf])
def test_an_end_comes_though_the_edges_stay_doubtful(highest_per_s: float) -> None:
    tried = [seen(90, 4), seen(100, 4, 4), seen(108, 4, 20), seen(130, 4, 400)]
    terms = replace(TERMS, highest_per_s=highest_per_s)
    while step := confirmation(tried, terms):
        tried.append(seen(step.rate_per_s, (step.seconds or 0) / 1.25, 30, 30))
    assert len(tried) < 20
    assert confirming(tried, terms)


@pytest.mark.parametrize(
    "known",
    [
        [seen(90, 40), seen(99, 4, 20), seen(100, 4, 4)],
        [seen(80, 100), seen(97, 70, 15, 15), seen(100, 70, *[15] * 8)],
    ],
)
def test_no_rate_above_the_highest_is_tried(known: list[Seen]) -> None:
    """The failed edge is sought outwards, and the upper side of a crossing lies above it."""
    tried, terms = list(known), replace(TERMS, highest_per_s=100)
    while step := confirmation(tried, terms):
        assert step.rate_per_s <= 100
        tried.append(seen(step.rate_per_s, (step.seconds or 0) / 1.25, 15))
    assert len(tried) < 20


def test_what_was_slow_below_a_rate_that_was_not_is_seen_again_at_length() -> None:
    assert confirmation([seen(90, 4, 30), seen(100, 4), SLOW], TERMS) == Step(90, 60)


def test_nothing_is_confirmed_where_nothing_was_seen_or_no_time_is_given() -> None:
    assert confirmation([], TERMS) is None
    assert confirmation([seen(100, 4), SLOW], Terms(5, 0, 1.1)) is None
