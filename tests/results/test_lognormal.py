import numpy as np
import pytest

from results.draws import durations_ms
from results.lognormal import above, not_exceeded, unfilled

MEAN_MS, CV = 100.0, 1.5
DRAWN_MS = durations_ms(MEAN_MS, CV, 400_000, np.random.default_rng(3))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_quantiles_are_those_of_what_is_drawn(share: float) -> None:
    assert not_exceeded(MEAN_MS, CV, share) == pytest.approx(np.quantile(DRAWN_MS, share), rel=0.02)


@pytest.mark.parametrize("value_ms", [20.0, 100.0, 700.0])
def test_so_are_the_shares_above_a_value(value_ms: float) -> None:
    assert above(value_ms, MEAN_MS, CV) == pytest.approx(np.mean(value_ms < DRAWN_MS), rel=0.03)


@pytest.mark.parametrize("after_ms", [20.0, 100.0, 700.0])
def test_servers_fill_as_the_rest_of_the_tasks_says(after_ms: float) -> None:
    rest = np.maximum(DRAWN_MS - after_ms, 0).mean() / DRAWN_MS.mean()
    assert unfilled(after_ms, MEAN_MS, CV) == pytest.approx(rest, rel=0.03)


def test_servers_are_full_after_one_service_where_all_are_equally_long() -> None:
    assert [unfilled(after, 100, 0) for after in (0, 50, 100, 200)] == [1, 0.5, 0, 0]
    assert unfilled(0, 0, 0) == 0
