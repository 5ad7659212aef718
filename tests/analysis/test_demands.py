"""The ceilings of a task of the user's own, from what it was measured to hold."""

import pytest

from analysis.queueing import saturation_rate
from analysis.queueing.blocking import blocking_rate, unaffected
from analysis.queueing.replay import fifo_servers
from results.schema import Demand, Service

WAITS = Demand(gil=0.01, cores=0.02, loop=1.0)
IN_C = Demand(gil=0.1, cores=0.95, loop=1.0)
IN_PYTHON = Demand(gil=1.0, cores=1.0, loop=1.0)


def served(law: str, demand: Demand, slots: int = 40, **more: int) -> Service:
    return Service(law=law, slots=slots, demand=demand, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("service", "kind", "cores", "ceiling_per_s"),
    [
        (served("pool", WAITS), "own_wait", 2, 400),
        (served("pool", WAITS, slots=400), "own_wait", 2, 1000),
        (served("pool", IN_C), "own_compute", 2, 2 / 0.095),
        (served("pool", IN_C, processes=4), "own_compute", 16, 16 / 0.095),
        (served("pool", IN_C), "own_compute", 16, 100),
        (served("pool", IN_PYTHON), "own_compute", 4, 10),
        (served("pool", IN_PYTHON, processes=4), "own_compute", 4, 40),
        (served("loop", WAITS, 1), "own_wait", 4, 10),
        (served("await", WAITS, 1), "own_wait", 4, 10),
        (served("await", Demand(gil=0.02, cores=0.02, loop=0.05), 0), "own_await", 4, 200),
        (served("await", Demand(gil=0.0, cores=0.0, loop=1.0), 0), "own_await", 4, 10),
    ],
)
def test_what_gives_way_first_is_the_ceiling(
    service: Service, kind: str, cores: int, ceiling_per_s: float
) -> None:
    assert saturation_rate(service, kind, 100, cores) == pytest.approx(ceiling_per_s)


def test_a_coroutine_that_keeps_the_loop_leaves_no_exact_law() -> None:
    awaiting, keeping = (Demand(gil=0.0, cores=0.0, loop=loop) for loop in (0.01, 0.5))
    shown = {"apart": False, "limit_ms": 100.0}
    assert unaffected(served("await", awaiting, 0), "own_await", 300, **shown)  # type: ignore[arg-type]
    assert not unaffected(served("await", keeping, 0), "own_await", 300, **shown)  # type: ignore[arg-type]
    assert fifo_servers(served("await", awaiting, 0), "own_await", 2) == 0
    assert fifo_servers(served("await", keeping, 0), "own_await", 2) is None


def test_a_def_that_waits_blocks_as_sleep_does_where_it_shares_a_queue() -> None:
    for law, slots, shares in (("pool", 40, ["ping_sync"]), ("loop", 1, ["accept", "ping", "ping_sync"])):
        own = Service(law=law, slots=slots, shares=shares, demand=WAITS)  # type: ignore[arg-type]
        asleep = Service(law=law, slots=slots, shares=shares)  # type: ignore[arg-type]
        assert blocking_rate(own, "own_wait", 50, 2) == blocking_rate(asleep, "sleep", 50, 2)
    assert blocking_rate(served("pool", IN_C), "own_compute", 50, 2) is None
