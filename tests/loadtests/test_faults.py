"""Which requests a drill spoils, and what their bodies ask for."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.faults import hung_up, poisoned
from loadtests.openloop.options import COMMON, LoadSettings, read
from loadtests.openloop.scenario import REGISTER_PATH, TASKS_PATH, Scenario, requests
from loadtests.openloop.schedule import PlannedStep, Schedule, plan
from results.errors import BlockpointError
from results.terms import Stream

STRETCHES = [PlannedStep(1.0, 40.0, 10.0), PlannedStep(1.0, 60.0, 20.0)]
TAG = 7
arrivals = st.lists(st.integers(0, 2**31 - 1)).map(lambda numbers: np.array(numbers, np.int32))


def settings(**given_: Any) -> LoadSettings:
    return read(COMMON, SimpleNamespace(**given_))


def bodies(schedule: Schedule, chosen: LoadSettings) -> dict[int, dict[str, Any]]:
    """Return each task's body, by arrival number."""
    request = requests(schedule, STRETCHES, chosen, path=TASKS_PATH, authority="h:1", tag=TAG)
    return {
        int(schedule.arrival[row]): json.loads(request(row).split(b"\r\n\r\n", 1)[1])
        for row in np.flatnonzero(schedule.stream == Stream.TASKS).tolist()
    }


@given(arrivals, st.integers(2, 1000))
def test_the_last_of_each_group_is_poisoned_and_the_first_hung_up(numbers: np.ndarray, every: int) -> None:
    assert poisoned(numbers, every).tolist() == [int(i) % every == every - 1 for i in numbers]
    assert hung_up(numbers, every).tolist() == [int(i) % every == 0 for i in numbers]
    assert not (poisoned(numbers, every) & hung_up(numbers, every)).any()
    assert not hung_up(numbers, 0).any()


@pytest.mark.parametrize(
    ("options", "sound", "spoilt"),
    [
        ({"poison": "raise"}, {"fail_first": 0}, {"fail_first": 10}),
        ({"poison": "raise", "fail_first": 1}, {"fail_first": 1}, {"fail_first": 10}),
        ({"poison": "kill"}, {"fail_first": 0}, {"fail_first": 0, "kill_first": 1}),
        (
            {"poison": "kill", "poison_kills": 3, "fail_first": 2},
            {"fail_first": 2},
            {"fail_first": 0, "kill_first": 3},
        ),
        ({"fail_first": 2}, {"fail_first": 2}, {"fail_first": 2}),
    ],
)
def test_a_poisonous_task_asks_for_its_faults_and_a_sound_one_does_not(
    options: dict[str, Any], sound: dict[str, int], spoilt: dict[str, int]
) -> None:
    schedule = plan(STRETCHES, seed=3, bystander_per_s=10)
    found = bodies(schedule, settings(**options, poison_every=4))
    assert len(found) == 100
    for arrival, body in found.items():
        asked = {name: body[name] for name in ("fail_first", "kill_first") if name in body}
        assert asked == (spoilt if arrival % 4 == 3 else sound)
    steps = dict(
        zip(schedule.arrival[schedule.stream == 0], schedule.step[schedule.stream == 0], strict=True)
    )
    assert all(body["duration_ms"] == (10.0, 20.0)[steps[arrival]] for arrival, body in found.items())


@given(st.integers(1, 5), st.integers(2, 7), st.sampled_from(["raise", "kill"]))
def test_workers_together_poison_what_one_process_would(count: int, every: int, poison: str) -> None:
    chosen = settings(poison=poison, poison_every=every)
    whole = plan(STRETCHES, seed=1)
    shards = [bodies(whole.shard(index, count), chosen) for index in range(count)]
    assert {arrival: body for shard in shards for arrival, body in shard.items()} == bodies(whole, chosen)


@pytest.mark.parametrize(
    ("scenario", "options", "flag"),
    [
        (Scenario("x", lambda _: STRETCHES, path=REGISTER_PATH), {"poison": "kill"}, "--poison"),
        (Scenario("x", lambda _: STRETCHES, closed=True), {"close_early_every": 2}, "--close-early-every"),
    ],
)
def test_a_fault_that_a_scenario_cannot_have_is_refused(
    scenario: Scenario, options: dict[str, Any], flag: str
) -> None:
    scenario.plan(settings())
    with pytest.raises(BlockpointError, match=f"^{flag}: [^\n]+$"):
        scenario.plan(settings(**options))
