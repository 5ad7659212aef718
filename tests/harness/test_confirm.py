"""Which long trial comes next, once short ones have located where a target blocks."""

import pytest

from analysis.trials.slowness import Spells, seconds_needed
from analysis.trials.slowness_by_rate import Seen
from harness.search.confirm import Step, Terms, confirmation

TERMS = Terms(shortest_s=5, longest_s=60, precision=1.1)
PER_S = 100


def seen(rate: float, span_s: float, *spells: int) -> Seen:
    """Return what one stream showed: the sizes of its slow spells."""
    return Seen(rate, {"ping_sync": Spells(int(PER_S * span_s), span_s, spells, spells, spells, 15.0)})


SLOW = seen(110, 4, 400)


def test_the_held_edge_goes_first_and_for_as_long_as_its_spells_ask_for() -> None:
    step = confirmation([seen(100, 4), SLOW], TERMS)
    assert step
    assert (step.rate_per_s, step.confirms) == (100, True)
    assert step.seconds == pytest.approx((seconds_needed(0.15) - 4) * 1.25)


def test_where_both_edges_are_sure_nothing_is_left() -> None:
    assert confirmation([seen(100, 50), SLOW], TERMS) is None


def test_a_doubtful_block_is_confirmed_too() -> None:
    step = confirmation([seen(100, 50), seen(110, 4, 20)], TERMS)
    assert step == Step(110, pytest.approx(26 * 1.25))


def test_an_edge_that_its_time_does_not_make_sure_moves_out_by_half_a_width_and_a_whole_one() -> None:
    tried = [seen(100, 61, 10, 10, 10, 10), SLOW]
    for share in (0.5, 1):
        step = confirmation(tried, TERMS)
        assert step
        assert step.rate_per_s == pytest.approx(100 / 1.1**share, rel=1e-3)
        tried.append(seen(step.rate_per_s, 61, 10, 10, 10, 10))
    assert confirmation(tried, TERMS) is None


def test_what_was_slow_below_a_rate_that_was_not_is_seen_again_at_length() -> None:
    assert confirmation([seen(90, 4, 30), seen(100, 4), SLOW], TERMS) == Step(90, 60)


def test_nothing_is_confirmed_where_nothing_was_seen_or_no_time_is_given() -> None:
    assert confirmation([], TERMS) is None
    assert confirmation([seen(100, 4), SLOW], Terms(5, 0, 1.1)) is None
