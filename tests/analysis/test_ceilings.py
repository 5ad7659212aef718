import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.queueing import CLAIM_S, backlog_growth, saturation_rate, utilisation
from results.draws import durations_ms
from results.lasting import Lasting
from results.schema import Service


def service(law: str, slots: int = 0, **fields: float) -> Service:
    return Service(law=law, slots=slots, **fields)  # type: ignore[arg-type]


ARQ_DEFAULT = service("poll", 10, poll_s=0.5, read_limit=100)
ARQ_TUNED = service("poll", 100, poll_s=0.01, read_limit=500)

CASES = [
    ("coroutines that sleep have no limit", service("await"), "sleep", 100, None),
    ("coroutines that compute hold the loop", service("await"), "cpu", 100, 10),
    ("blocking code runs one at a time", service("loop"), "sleep", 5, 200),
    ("nothing to wait for, nothing to limit", service("loop"), "sleep", 0, None),
    ("AnyIO's 40 tokens", service("pool", 40), "sleep", 1000, 40),
    ("a pool computes on one core because of the GIL", service("pool", 40), "cpu", 10, 100),
    ("... unless it has processes", service("pool", 40, processes=4), "cpu", 10, 200),
    ("... or releases the GIL", service("pool", 40), "cpu_native", 10, 200),
    ("fewer slots than cores", service("pool", 1), "cpu_native", 10, 100),
    ("a pool without bounds", service("pool", 0), "sleep", 10, None),
    ("a pool of no-ops", service("pool", 40), "sleep", 0, None),
    ("ARQ, no-ops: the read limit", ARQ_DEFAULT, "sleep", 0, 200),
    ("ARQ, 1 ms: slots fall free within the look", ARQ_DEFAULT, "sleep", 1, 200),
    ("ARQ, 10 ms: all slots fill first", ARQ_DEFAULT, "sleep", 10, 20),
    ("ARQ tuned, no-ops: one claim after another", ARQ_TUNED, "sleep", 0, 1 / CLAIM_S),
    ("ARQ, 0.1 s: one tick", ARQ_DEFAULT, "sleep", 100, 20),
    ("ARQ, exactly a tick: two", ARQ_DEFAULT, "sleep", 500, 10),
    ("ARQ, 1 s: three ticks", ARQ_DEFAULT, "sleep", 1000, 10 / 1.5),
    ("ARQ tuned, 0.1 s: the look at 100 slots takes 60 ms", ARQ_TUNED, "sleep", 100, 625),
    ("a multiple that floats miss (0.3 / 0.1)", service("poll", 1, poll_s=0.1), "sleep", 300, 2.5),
    ("a poll's slots compute on one core", ARQ_TUNED, "cpu", 100, 10),
    ("no poll to wait for is a pool", service("poll", 10, read_limit=100), "sleep", 100, 100),
]


@pytest.mark.parametrize(("why", "given_service", "kind", "duration_ms", "ceiling"), CASES)
def test_the_ceiling_of_each_law(
    why: str, given_service: Service, kind: str, duration_ms: float, ceiling: float | None
) -> None:
    assert saturation_rate(given_service, kind, duration_ms, cores=2) == (
        None if ceiling is None else pytest.approx(ceiling)
    ), why


@pytest.mark.parametrize("law", [Lasting(cv=1.5), Lasting(mix=10), Lasting(mix=3)], ids=str)
def test_durations_that_vary_are_rounded_up_to_polls_on_average(law: Lasting) -> None:
    for duration_ms in (200.0, 500.0, 1000.0):
        drawn = durations_ms(duration_ms, law, 200_000, np.random.default_rng(1)) / 1000
        held = (np.floor(drawn / 0.5) + 1).mean() * 0.5
        found = saturation_rate(ARQ_DEFAULT, "sleep", duration_ms, 2, lasting=law)
        assert found == pytest.approx(10 / held, rel=0.01)


def test_no_other_ceiling_depends_on_the_variation() -> None:
    for each in (service("loop"), service("pool", 40), service("await")):
        assert saturation_rate(each, "sleep", 100, 2, lasting=Lasting(2)) == saturation_rate(
            each, "sleep", 100, 2
        )


def test_very_long_tasks_of_a_quick_poll_lose_half_a_tick() -> None:
    quick = service("poll", 1, poll_s=0.01)
    assert saturation_rate(quick, "sleep", 60_000, 2, lasting=Lasting(2)) == pytest.approx(
        1 / 60.005, rel=1e-6
    )


@pytest.mark.parametrize(("law", "kind"), [("magic", "sleep"), ("pool", "juggle")])
def test_an_unknown_law_or_kind_is_refused(law: str, kind: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        saturation_rate(service(law, 1), kind, 10, cores=2)


@given(
    st.integers(1, 200),
    st.floats(0.001, 5),
    st.integers(0, 40),
    st.sampled_from(["sleep", "cpu", "cpu_native"]),
    st.integers(1, 64),
)
def test_polling_never_beats_a_pool_and_longer_never_beats_shorter(
    slots: int, poll_s: float, polls: int, kind: str, cores: int
) -> None:
    polled = service("poll", slots, poll_s=poll_s, read_limit=500)
    duration_ms = (polls + 0.5) * poll_s * 1000
    if duration_ms <= slots * CLAIM_S * 1000:
        return  # shorter than a look: another regime
    rate = saturation_rate(polled, kind, duration_ms, cores)
    pool = saturation_rate(service("pool", slots), kind, duration_ms, cores)
    longer = saturation_rate(polled, kind, duration_ms + poll_s * 1000, cores)
    assert rate is not None
    assert pool is not None
    assert longer is not None
    assert longer <= rate <= pool * (1 + 1e-9)


def test_growth_and_utilisation() -> None:
    assert utilisation(30, None) is None
    assert utilisation(30, 20) == 1.5
    assert backlog_growth(0.9) == 0
    assert backlog_growth(2) == 0.5
    assert backlog_growth(0) == 0


def test_it_stays_light_for_the_harness() -> None:
    code = (
        "import sys, analysis.queueing; print(sorted({'pandas', 'matplotlib', 'pyarrow'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
