import math
from pathlib import Path

import numpy as np
import pytest

from analysis.queueing.blocking import blocking_rate
from analysis.queueing.bursts import burst_share
from analysis.report.pages import render_page
from analysis.report.words import read
from analysis.trials.burst_words import note_on_bursts, sentence_on_bursts, under_bursts
from analysis.trials.derive import derive
from benchmarks.coverage.target import Target, run
from results.lasting import Lasting
from results.schema import Service
from results.traffic import Traffic
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=40, shares=["ping_sync"])
CEILING_PER_S = 400.0
RUN_S, SETTLED_S, RUNS = 100.0, 10.0, 6
FAR = 1.12
"""how far apart two rates are on whose two sides the simulators have to see the limit"""


def slow_share(target: Target, rate_per_s: float) -> float:
    """Return what the simulator that shares no code with theory sees, over several runs."""
    shares = []
    for seed in range(RUNS):
        due, took = run(target, [rate_per_s], 100.0, RUN_S, seed=seed).latencies()[2]
        shares.append((took[due >= SETTLED_S] > 0.1).mean())
    return float(np.mean(shares))


@pytest.mark.parametrize(
    ("target", "traffic", "published"),
    [
        (Target(40, 0.1), Traffic(), 0.91),
        (Target(40, 0.1, law="lognormal"), Traffic(cv=2.0), 0.81),
        (Target(40, 0.1, arrivals="onoff"), Traffic("onoff"), 0.47),
    ],
    ids=["steady", "varied", "bursts"],
)
def test_another_simulator_sees_the_limit_crossed_at_the_same_rate(
    target: Target, traffic: Traffic, published: float
) -> None:
    rate = blocking_rate(
        POOL, "sleep", 100, 1, seconds=60, bystander_per_s=100, overhead_ms=0, traffic=traffic
    )
    assert rate is not None
    assert rate / CEILING_PER_S == pytest.approx(published, rel=0.06)
    assert slow_share(target, rate / FAR) < 0.01 < slow_share(target, rate * FAR)


def test_a_search_under_steady_traffic_learns_what_bursts_would_leave() -> None:
    share = burst_share(POOL, "sleep", 100, 1, apart=False)
    assert share is not None
    assert 0.47 < share < 0.58
    varied = burst_share(POOL, "sleep", 100, 1, apart=False, lasting=Lasting(2.0))
    assert varied is not None
    assert varied > share, "what varies blocks earlier already"


@pytest.mark.parametrize(
    ("why", "service", "duration_ms"),
    [
        ("nothing shares the pool", Service(law="pool", slots=40), 100),
        ("every rate blocks", Service(law="await", slots=0, shares=["accept"]), 200),
        ("no law is known", Service(law="poll", slots=10, poll_s=0.5, shares=["ping"]), 100),
        ("each task alone blocks", Service(law="loop", slots=1, shares=["ping"]), 5000),
    ],
)
def test_where_theory_is_silent_nothing_is_said(why: str, service: Service, duration_ms: float) -> None:
    assert burst_share(service, "sleep", duration_ms, 1, apart=False) is None, why


def test_the_line_says_that_it_is_simulated_and_scales_the_interval() -> None:
    point = {"burst_share": 0.5, "held_per_s": 340.0, "failed_per_s": 380.0, "disputed": False}
    (line,) = under_bursts(point)
    assert "50% of that, 170 to 190/s" in line
    assert "simulated, not measured" in line
    assert under_bursts(point | {"burst_share": math.nan}) == []
    assert under_bursts(point | {"held_per_s": math.nan, "failed_per_s": math.nan}) == []


def test_reading_and_note_tell_it_of_what_shares_the_pool_and_of_nothing_else(runs: Path) -> None:
    shared = [
        Cell("background_tasks", [(rate, 4, 100)], service=POOL, suffers=("ping_sync",))
        for rate in (200, 600)
    ]
    build(
        runs / "campaign", [*shared, Cell("celery", [(200, 4, 100)], service=Service(law="pool", slots=40))]
    )
    derived = derive(runs / "campaign")
    told = {each.strategy: " ".join(each.sentences) for each in read(derived.summary, derived.points)}
    assert "Under mild bursts (0.5 s at twice the rate" in told["background_tasks"]
    assert "simulated, not measured" in told["background_tasks"]
    assert "bursts" not in told["celery"]
    note = note_on_bursts(derived.points)
    assert note.startswith("simulated, not measured: under mild bursts")
    assert "the APIs whose requests wait with the tasks" in note
    assert note_on_bursts(derived.points[derived.points["strategy"] == "celery"]) == ""
    sentence = sentence_on_bursts(derived.points)
    assert sentence.startswith("Simulated, not measured: under mild bursts")
    assert f'id="under-bursts">{sentence}</p>' in render_page(derived, [], [])
