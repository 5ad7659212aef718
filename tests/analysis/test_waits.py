import math

import numpy as np
import pytest

from analysis.queueing.trace import starts
from analysis.queueing.waits import (
    erlang_c,
    mdc_wait,
    mdc_wait_below,
    mmc_wait,
)

ERLANG_C = [
    ("one server waits while it is busy", 1, 0.7, 0.7),
    ("two servers: a^2 / (2 + a)", 2, 1.0, 1 / 3),
    ("a printed table", 5, 4.0, 0.5541),
    ("a printed table", 10, 8.0, 0.4092),
    ("many servers do not overflow", 100, 90.0, 0.2169),
    ("saturated", 3, 3.0, 1.0),
    ("nothing comes", 3, 0.0, 0.0),
]


@pytest.mark.parametrize(("why", "servers", "offered", "waits"), ERLANG_C)
def test_erlang_c(why: str, servers: int, offered: float, waits: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5), why


def test_one_exponential_server() -> None:
    assert mmc_wait(8, 0.1, 1, 99) == pytest.approx(math.log(0.8 / 0.01) / 2)
    assert mmc_wait(1, 0.1, 10, 50) == 0
    assert mmc_wait(0, 0.1, 10, 50) == 0


def test_the_distribution_of_one_server_is_erlangs() -> None:
    """Erlang 1909: (1 - rho) times the sum of (-u)^j / j! e^u over j <= t / S, with u = rate (t - j S)."""
    rate, served = 0.7, 1.0
    for wait in (0.0, 0.3, 1.0, 2.5, 4.2):
        terms = [
            (-rate * (wait - j * served)) ** j / math.factorial(j) * math.exp(rate * (wait - j * served))
            for j in range(int(wait / served) + 1)
        ]
        assert mdc_wait_below(wait, rate, served, 1) == pytest.approx(0.3 * sum(terms), abs=1e-9)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.8), (3, 0.7), (40, 0.85)])
def test_the_distribution_agrees_with_a_simulation(servers: int, rho: float) -> None:
    came = np.cumsum(np.random.default_rng(7).exponential(1 / (rho * servers), 2_000_000))
    waits = (starts(came, 1.0, servers) - came)[20_000:]
    for p in (50, 90, 99):
        expected = float(np.percentile(waits, p))
        assert mdc_wait(rho * servers, 1, servers, p) == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_the_tail_is_a_distribution_far_out() -> None:
    below = [mdc_wait_below(t, 39.0, 1.0, 40) for t in np.linspace(0, 12, 60)]
    assert below == sorted(below)
    assert below[-1] == pytest.approx(1, abs=1e-6)
    assert mdc_wait_below(mdc_wait(39, 1, 40, 99), 39, 1, 40) == pytest.approx(0.99, abs=1e-5)


def test_no_steady_state_and_no_load() -> None:
    assert mdc_wait(40, 1, 40, 99) == mmc_wait(40, 1, 40, 99) == math.inf
    assert mdc_wait(41, 1, 40, 99) == mmc_wait(41, 1, 40, 99) == math.inf
    assert mdc_wait(0, 1, 40, 99) == 0
    assert mdc_wait_below(1, 41, 1, 40) == mdc_wait_below(-1, 1, 1, 40) == 0
