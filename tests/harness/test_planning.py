import dataclasses
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.campaign.grid import Planner
from harness.campaign.predictions import keys, predicted_per_s, select
from harness.campaign.profiles import PROFILES, SAME_RATE, rates, trial_seconds
from harness.campaign.session import servers_of
from harness.commands.run import RunRequest, asked_profile, longer
from harness.target.cores import choose
from results.errors import BlockpointError
from results.schema import Plan
from results.terms import FANOUT_PARTS, REGISTRATION
from results.traffic import USUAL, Traffic
from targets.settings import Settings

QUICK = PROFILES["quick"]


def planned(profile: str, seed: int = 1) -> list[Plan]:
    def ceiling(key: str, kind: str, duration_ms: float, topology: str) -> float | None:
        return predicted_per_s(key, Settings(), kind, duration_ms, topology)

    chosen = PROFILES[profile]
    topologies = dict.fromkeys([*chosen.topologies, *chosen.cpu_topologies])
    return Planner(chosen, ceiling, seed).plan(keys(chosen.subjects), list(topologies))


def test_every_trial_of_a_grid_is_offered_the_traffic_that_was_asked_for() -> None:
    chosen = dataclasses.replace(QUICK, durations_ms=(100.0,))
    subjects = ["background_tasks/default"]
    steady, varied = (
        Planner(chosen, lambda *_: 400.0, 1, (), traffic).plan(subjects, ["one-box"])
        for traffic in (USUAL, Traffic("onoff", cv=2))
    )
    assert {plan.scenario for plan in varied} == {"steady", "burst", "duration_sweep"}
    for plain, other in zip(steady, varied, strict=True):
        assert other.options == [*plain.options, "--arrivals", "onoff", "--cv", "2"]


@given(ceiling=st.none() | st.floats(1.1, 1e6))
def test_rates_cross_the_ceiling_where_the_profile_can(ceiling: float | None) -> None:
    found = rates(QUICK, ceiling)
    assert found == sorted(found)
    assert found
    assert all(later / earlier > SAME_RATE * 0.99 for earlier, later in itertools.pairwise(found))
    assert found[-1] <= QUICK.max_rate_per_s * 1.001
    if ceiling is not None and ceiling < QUICK.max_rate_per_s / max(QUICK.fractions):
        assert found[0] < ceiling < found[-1]


@given(duration_ms=st.floats(0, 60_000), rate=st.floats(0.1, 10_000))
def test_a_trial_is_at_least_six_services_long(duration_ms: float, rate: float) -> None:
    seconds = trial_seconds(QUICK.seconds, QUICK.max_seconds, duration_ms, rate)
    assert seconds >= max(6 * duration_ms / 1000, QUICK.seconds)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_plan_is_reproducible_and_its_names_are_unique(profile: str) -> None:
    plans = planned(profile)
    assert plans == planned(profile)
    assert len({plan.trial_id for plan in plans}) == len(plans)
    assert {plan.subject for plan in plans} == set(keys(PROFILES[profile].subjects))
    if profile not in ("smoke", "soak"):
        assert [p.subject for p in plans] != [p.subject for p in planned(profile, seed=2)]


def test_all_subjects_meet_the_same_seeds() -> None:
    seeds: dict[str, set[int]] = {}
    for plan in planned("full"):
        seeds.setdefault(plan.subject, set()).add(plan.seed)
    assert len({frozenset(found) for found in seeds.values()}) == 1


def test_only_computing_kinds_are_measured_in_both_topologies() -> None:
    topologies: dict[str, set[str]] = {}
    for plan in planned("full"):
        topologies.setdefault(plan.kind, set()).add(plan.topology)
    assert topologies == {
        "sleep": {"one-box"},
        "cpu": {"one-box", "split"},
        "cpu_native": {"one-box", "split"},
    }


def test_selection() -> None:
    rule = ("celery/default", "celery/tuned", "arq/tuned")
    assert select(rule, (), ()) == list(rule)
    assert select(rule, (), ("tuned",)) == ["celery/tuned", "arq/tuned"]
    assert select(rule, ("celery",), ()) == [
        "celery/default",
        "celery/late",
        "celery/threads",
        "celery/tuned",
        "celery/durable",
    ]
    assert select(rule, ("threadpool/default", "celery"), ("tuned",)) == [
        "threadpool/default",
        "celery/tuned",
    ]
    with pytest.raises(BlockpointError, match="did you mean 'threadpool'"):
        select(rule, ("treadpool",), ())
    with pytest.raises(BlockpointError, match="variant of inline"):
        select(rule, ("inline",), ("tuned",))
    with pytest.raises(BlockpointError, match="no strategy of this profile"):
        select(rule, (), ("durable",))


@pytest.mark.parametrize(
    ("topology", "cores", "placed"),
    [
        ("one-box", [0, 1], ((0,), (0,), (1,), False)),
        ("split", [0, 1], ((0,), (1,), (1,), True)),
        ("one-box", [2, 3, 5, 7], ((2, 3, 5), (2, 3, 5), (7,), False)),
        ("split", [0, 1, 2, 3], ((0,), (1, 2), (3,), False)),
        ("one-box", [0], ((), (), (), False)),
        ("split", [], ((), (), (), False)),
    ],
)
def test_placement_of_web_worker_and_generator(
    topology: str, cores: list[int], placed: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]
) -> None:
    pinning = choose(topology, cores)
    assert (pinning.web, pinning.worker, pinning.generator, pinning.workers_give_way) == placed
    assert bool(pinning.note) == (len(cores) < 2 or pinning.workers_give_way)


def test_a_common_rate_that_equals_an_own_one_is_measured_once() -> None:
    profile = dataclasses.replace(QUICK, fractions=(0.5,), common_rates_per_s=(100, 101))
    assert rates(profile, 200.0) == [100]


@pytest.mark.parametrize("seconds", [2.0, 30.0])
def test_every_trial_of_a_grid_is_as_long_as_was_asked_for_or_says_why_not(seconds: float) -> None:
    given = dict.fromkeys(field.name for field in dataclasses.fields(RunRequest))
    asked = RunRequest(**given | {"profile": "quick", "durations_ms": (1_000.0,), "seconds": seconds})  # type: ignore[arg-type]
    profile = asked_profile(asked)
    subjects = ["celery/tuned", "background_tasks/default"]
    plans = Planner(profile, lambda *_: 40.0, seed=1).plan(subjects, ["one-box"])
    assert {plan.scenario for plan in plans} == {"steady", "burst", "duration_sweep"}
    steady = max(seconds, 6.0)
    assert {p.seconds for p in plans} == {seconds, steady}
    assert all(plan.seconds == steady for plan in plans if plan.scenario == "steady")
    said = list(longer(plans, seconds))
    assert said == (
        ["--seconds 2: trials of tasks of 1000 ms last 6 s, since a trial lasts 6 services at the least"]
        if seconds < 6
        else []
    )


def test_registrations_are_counted_in_tasks_and_say_what_their_tasks_are() -> None:
    chosen = dataclasses.replace(PROFILES["registration"], common_rates_per_s=(), max_rate_per_s=1_000)
    plans = Planner(chosen, lambda *_: 300.0, 1).plan(["arq/tuned"], ["one-box"])
    assert sorted(plan.rate_per_s for plan in plans) == [0.3 * 300 / FANOUT_PARTS, 0.6 * 300 / FANOUT_PARTS]
    assert {plan.scenario for plan in plans} == {"fanout"}
    assert all(tuple(plan.kinds) == REGISTRATION for plan in plans)


def test_a_campaign_needs_the_servers_of_all_its_tasks() -> None:
    (plan,) = Planner(PROFILES["smoke"], lambda *_: 300.0, 1).plan(["arq/tuned"], ["one-box"])
    registration = msgspec.structs.replace(plan, options=["--parts", ",".join(REGISTRATION)])
    called = msgspec.structs.replace(plan, kind="http")
    assert servers_of([plan]) == frozenset()
    assert servers_of([plan, called]) == {"http_sink"}
    assert servers_of([registration]) == {"http_sink", "smtp_sink", "cache_url"}


@pytest.mark.parametrize("parts", ["smtp,fax,cache", "smtp,,http"])
def test_a_plan_from_elsewhere_has_no_tasks_of_unknown_kinds(parts: str) -> None:
    (plan,) = Planner(PROFILES["smoke"], lambda *_: 300.0, 1).plan(["arq/tuned"], ["one-box"])
    document = msgspec.to_builtins(plan) | {"options": ["--parts", parts]}
    with pytest.raises(msgspec.ValidationError, match="unknown kind"):
        msgspec.convert(document, Plan)


def test_the_chunks_of_a_soak_follow_each_other_at_one_rate_with_seeds_of_their_own() -> None:
    plans = Planner(PROFILES["soak"], lambda *_: 400.0, 1).plan(["celery/tuned", "arq/tuned"], ["one-box"])
    subjects = [plan.subject for plan in plans]
    assert subjects == sorted(subjects)
    first = [plan for plan in plans if plan.subject == subjects[0]]
    assert [plan.repeat for plan in first] == list(range(PROFILES["soak"].repeats))
    assert len({plan.seed for plan in first}) == len(first)
    assert {(plan.scenario, plan.rate_per_s) for plan in first} == {("soak", 320.0)}
