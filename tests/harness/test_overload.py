from typing import Any

import pytest

from harness.trial.measurement import overloads
from results.load import Load, Step
from results.schema import Service

POOL = Service(law="pool", slots=10)


def load(*steps: tuple[float, float], scenario: str = "steady") -> Load:
    """Return the document of a load of (rate per second, duration in ms) steps."""
    counts: Any = dict.fromkeys(("scheduled", "accepted", "rejected", "refused", "unknown", "shed"), 0)
    slips: Any = dict.fromkeys(("slip_p50_ms", "slip_p99_ms", "slip_p999_ms", "cpu_cores"), 0.0)
    return Load(
        scenario=scenario,
        kind="sleep",
        seed=1,
        arrivals="poisson",
        bystander_per_s=0,
        boot_id="",
        timer="timerfd",
        identity={},
        steps=[
            Step(rate_per_s=rate, duration_ms=duration, from_ns=0, measure_from_ns=0, to_ns=1)
            for rate, duration in steps
        ],
        drained_ns=1,
        achieved_ratio=1.0,
        in_flight_max=0,
        **counts,
        **slips,
    )


@pytest.mark.parametrize(
    ("steps", "scenario", "overloaded"),
    [
        ([(50, 100)], "steady", False),
        ([(95, 100)], "steady", True),
        ([(30, 100), (200, 100), (30, 100)], "burst", True),
        ([(8, 10), (8, 2000)], "duration_sweep", True),
        ([(8, 10), (8, 100)], "duration_sweep", False),
        ([(40, 100)], "fanout", True),
    ],
)
def test_a_load_overloads_where_any_of_its_steps_does(
    steps: list[tuple[float, float]], scenario: str, overloaded: bool
) -> None:
    assert overloads(POOL, load(*steps, scenario=scenario), 1) is overloaded


def test_nothing_overloads_what_has_no_ceiling() -> None:
    assert not overloads(Service(law="await", slots=0), load((1e6, 100)), 1)
