import numpy as np
import pytest

from harness.hopeless import Watch

SECONDS = 8.0


def looks(rate: float, served: float, seed: int = 0, limit_ms: float = 100.0) -> str:
    """Return what a watch says of a target that serves at most so many tasks a second."""
    watch = Watch(rate, SECONDS, 50, limit_ms, bystander_per_s=100)
    random = np.random.default_rng(seed)
    came = np.sort(random.uniform(0, SECONDS, round(rate * SECONDS)))
    ended = 0.0
    for elapsed in np.arange(0.1, SECONDS, 0.1):
        ended = min(ended + served * 0.1, float(np.searchsorted(came, elapsed)))
        if said := watch.look(float(elapsed), int(ended)):
            return said
    return ""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rate", [10, 100, 1_000])
def test_a_target_that_keeps_up_is_left_alone(rate: float, seed: int) -> None:
    assert looks(rate, rate * 1.02, seed) == ""


@pytest.mark.parametrize("rate", [100, 1_000])
def test_a_target_that_falls_far_behind_is_stopped_half_way(rate: float) -> None:
    said = looks(rate, rate / 2)
    assert said.startswith("50% of the arrivals stayed behind after 3.")
    assert said.endswith("of 8 s")


def test_falling_behind_a_little_is_worth_the_whole_trial() -> None:
    assert looks(1_000, 930) == ""


def test_a_stream_that_shares_the_queue_has_crossed_the_limit_by_then() -> None:
    assert looks(1_000, 800, limit_ms=100)
    assert looks(1_000, 800, limit_ms=5_000) == ""


def test_slots_that_fill_up_are_no_backlog() -> None:
    watch = Watch(10, SECONDS, 3_000, 100, bystander_per_s=100)
    assert not any(watch.look(elapsed, max(0, int(10 * (elapsed - 3)))) for elapsed in np.arange(0, 8, 0.1))
