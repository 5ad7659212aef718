import math

import numpy as np
import pytest

from results.draws import durations_ms
from results.lasting import EQUALLY, Lasting

MEAN_MS = 100.0
LAWS = [Lasting(cv=1.5), Lasting(mix=10.0), Lasting(mix=2.0)]


def drawn_ms(law: Lasting) -> np.ndarray:
    return durations_ms(MEAN_MS, law, 400_000, np.random.default_rng(3))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_mean_and_variation_are_those_that_were_asked_for(law: Lasting) -> None:
    drawn = drawn_ms(law)
    assert drawn.mean() == pytest.approx(MEAN_MS, rel=0.01)
    assert drawn.std() / drawn.mean() == pytest.approx(law.variation, rel=0.03)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_quantiles_are_those_of_what_is_drawn(law: Lasting, share: float) -> None:
    assert law.not_exceeded(MEAN_MS, share) == pytest.approx(np.quantile(drawn_ms(law), share), rel=0.02)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("value_ms", [20.0, 100.0, 500.0])
def test_so_are_the_shares_of_what_lasts_as_long(law: Lasting, value_ms: float) -> None:
    assert law.at_least(value_ms, MEAN_MS) == pytest.approx(np.mean(drawn_ms(law) >= value_ms), rel=0.03)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("after_ms", [20.0, 100.0, 500.0])
def test_servers_fill_as_the_rest_of_the_tasks_says(law: Lasting, after_ms: float) -> None:
    drawn = drawn_ms(law)
    rest = np.maximum(drawn - after_ms, 0).mean() / drawn.mean()
    assert law.unfilled(after_ms, MEAN_MS) == pytest.approx(rest, rel=0.03, abs=1e-3)


def test_one_task_in_ten_is_ten_times_as_long() -> None:
    short, long = Lasting(mix=10).lengths(MEAN_MS)
    assert long == pytest.approx(10 * short)
    drawn = drawn_ms(Lasting(mix=10))
    assert set(np.unique(drawn)) == {round(short, 3), round(long, 3)}
    assert np.mean(drawn > MEAN_MS) == pytest.approx(0.1, abs=0.005)
    assert Lasting(mix=10).variation == pytest.approx(math.sqrt(10.9 / 3.61 - 1))


def test_servers_are_full_after_one_service_where_all_are_equally_long() -> None:
    assert not EQUALLY
    assert [EQUALLY.unfilled(after, 100) for after in (0, 50, 100, 200)] == [1, 0.5, 0, 0]
    assert EQUALLY.unfilled(0, 0) == 0
    assert EQUALLY.not_exceeded(100, 0.99) == 100
