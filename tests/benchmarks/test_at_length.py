"""What long trials say of a search's interval."""

import pytest

from analysis.trials.brackets import Bracket
from analysis.trials.slowness import Slowness
from benchmarks.at_length import Long, verdict


def long(rate: float, share: float) -> Long:
    told = Slowness(share, share / 2, share * 2, 5, 0.1, assumed=False, unseen_s=160)
    return Long(rate, 480, "ping_sync", told)


FAST, SLOW = long(350, 0.002), long(380, 0.08)


@pytest.mark.parametrize(
    ("held", "failed", "said"),
    [
        (340, 390, "right"),
        (350, 380, "right"),
        (360, 390, "open"),
        (340, 370, "open"),
        (380, 400, "wrong"),
        (340, 350, "wrong"),
        (None, 380, "right"),
        (350, None, "right"),
        (400, None, "wrong"),
    ],
)
def test_an_interval_is_held_against_the_long_trials_on_both_sides(
    held: float | None, failed: float | None, said: str
) -> None:
    assert verdict(Bracket(held, failed), [FAST, SLOW]) == said
