"""The simulator against formulas that it does not use, and its goals against answers that miss them."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from analysis.queueing.waits import mdc_wait, mmc_wait
from benchmarks.coverage.arrivals import Arrivals, arrivals
from benchmarks.coverage.goals import missed
from benchmarks.coverage.pool import PASS_S, serve
from benchmarks.coverage.rows import PROFILES, ROWS
from benchmarks.coverage.search import Interval, manifest_of
from benchmarks.coverage.services import VARIATION, Law, services
from benchmarks.coverage.stalls import Loop, Stalls
from benchmarks.coverage.tally import Outcome, Tally
from benchmarks.coverage.target import FLOOR_S, Target, run
from benchmarks.coverage.truth import SLOW_SHARE, Rate, slow_share
from results.terms import KINDS_RECORDED

SECONDS = 2_000.0


def random() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.mark.parametrize(("law", "formula"), [("fixed", mdc_wait), ("exponential", mmc_wait)])
@pytest.mark.parametrize(("slots", "rate"), [(1, 7.0), (10, 80.0), (40, 360.0)])
def test_waits_are_those_of_the_books(
    law: Law, formula: Callable[[float, float, int, float], float], slots: int, rate: float
) -> None:
    due = arrivals(random(), "poisson", rate, SECONDS)
    held = services(random(), law, 0.1, len(due))
    served = serve(due, held, np.empty(0), slots)
    waited_s = np.percentile(served.started_s - due, 90)
    assert waited_s == pytest.approx(formula(rate, 0.1, slots, 90), rel=0.15)


@pytest.mark.parametrize("how", ["conditioned", "poisson", "onoff"])
def test_arrivals_keep_their_rate(how: Arrivals) -> None:
    due = arrivals(random(), how, 50.0, SECONDS, 0.2 * SECONDS)
    assert len(due) / SECONDS == pytest.approx(50, rel=0.05)
    assert (np.diff(due) >= 0).all()
    counts = np.histogram(due, bins=np.arange(0, SECONDS, 1.0))[0]
    spread = counts.var() / counts.mean()
    assert spread > 5 if how == "onoff" else spread == pytest.approx(1, abs=0.15)


def test_services_have_the_mean_and_the_variation_asked_for() -> None:
    found = services(random(), "lognormal", 0.1, 1_000_000)
    assert found.mean() == pytest.approx(0.1, rel=0.02)
    assert found.std() / found.mean() == pytest.approx(VARIATION, rel=0.1)


def test_a_bystander_takes_two_threads_one_after_the_other() -> None:
    served = serve(np.array([0.0]), np.array([1.0]), np.array([0.5]), slots=1)
    assert served.passed_s == pytest.approx([1.0 + 2 * PASS_S])
    behind = serve(np.array([0.0, 0.6]), np.array([1.0, 1.0]), np.array([0.5]), slots=1)
    assert behind.passed_s == pytest.approx([2.0 + 2 * PASS_S]), (
        "its second pass waits behind the second task"
    )


def test_what_comes_during_a_stall_is_read_at_its_end() -> None:
    loop = Loop(np.array([1.0, 5.0]), 0.4)
    at = np.array([0.9, 1.0, 1.3, 1.5, 5.2])
    assert loop.awake(at) == pytest.approx([0.9, 1.4, 1.4, 1.5, 5.4])
    assert [loop.awake_at(each) for each in at.tolist()] == pytest.approx(loop.awake(at).tolist())


def test_a_stalled_loop_is_slow_for_the_share_that_it_stands_still() -> None:
    target = Target(slots=1000, mean_s=0.01, stalls=Stalls(0.4, 4.0))
    assert slow_share(target, 50.0, seed=1) == pytest.approx((0.3 + FLOOR_S) / 4, rel=0.1)


def test_a_pool_of_its_own_leaves_the_api_alone() -> None:
    target = Target(slots=40, mean_s=0.1, shared=False)
    assert slow_share(target, 800.0, seed=1) == 0


def test_the_core_is_the_limit_of_a_core_bound_target() -> None:
    seen = run(Target(slots=100, mean_s=0.1, shared=False, loop_s=0.0022), [900.0], 10.0, 100.0, seed=1)
    done = ((seen.ended_s > 20) & (seen.ended_s < 90)).sum() / 70
    assert done == pytest.approx(1 / 0.0022, rel=0.05)


@pytest.mark.parametrize(("rate", "slow"), [(340.0, False), (385.0, True)])
def test_forty_threads_block_at_nine_tenths_of_their_saturation(rate: float, slow: bool) -> None:
    assert (slow_share(Target(slots=40, mean_s=0.1), rate, seed=1) > SLOW_SHARE) is slow


def outcome(*answers: Interval, row: str = "a pool", profile: str = "1.05") -> Outcome:
    tally = Tally(Rate(100.0), answers)
    fine = Tally(Rate(math.inf), (Interval(50.0, math.inf, marked=False),))
    return Outcome(
        row, profile, fixed=True, steady=True, trials=1, seconds=1, saturation=fine, blocking=tally
    )


RIGHT, MARKED = Interval(95.0, 105.0, marked=False), Interval(110.0, 120.0, marked=True)
TOO_HIGH, TOO_LOW = Interval(110.0, 120.0, marked=False), Interval(80.0, 90.0, marked=False)


@pytest.mark.parametrize(
    ("why", "answers", "misses"),
    [
        ("all hold it", [RIGHT] * 10, []),
        ("a marked one may be wrong", [RIGHT] * 5 + [MARKED] * 5, []),
        ("one of ten below is allowed", [RIGHT] * 9 + [TOO_LOW], []),
        ("two are not", [RIGHT] * 8 + [TOO_LOW] * 2, ["hold"]),
        ("one above is too many, though nine hold it", [RIGHT] * 9 + [TOO_HIGH], ["too high"]),
        ("the edge may be on the truth", [Interval(100.2, 110.0, marked=False)], []),
    ],
)
def test_goals_ask_only_of_what_bears_no_mark(why: str, answers: list[Interval], misses: list[str]) -> None:
    found = list(missed([outcome(*answers)]))
    assert len(found) == len(misses), (why, found)
    assert all(word in text for word, text in zip(misses, found, strict=True))


def test_marking_everything_is_no_way_out() -> None:
    assert list(missed([outcome(*[MARKED] * 10, profile="standard")]))
    assert not list(missed([outcome(*[RIGHT] * 10, profile="standard")]))


def test_a_stalled_target_is_never_said_to_hold_at_the_highest_rate() -> None:
    unseen = Interval(600.0, math.inf, marked=False)
    found = list(missed([outcome(unseen, row="stalls 0.4 s in 4 s", profile="quick")]))
    assert any("> X" in text for text in found)


def test_an_interval_that_says_nothing_is_no_answer() -> None:
    told = dataclasses.replace(outcome(RIGHT), saturation=Tally(Rate(100.0), (RIGHT,)))
    wide = Tally(Rate(100.0), (Interval(50.0, 105.0, marked=False),))
    assert not list(missed([dataclasses.replace(told, profile="standard")]))
    (found,) = missed([dataclasses.replace(told, profile="standard", saturation=wide)])
    assert "2.10 wide" in found


def test_a_blind_search_is_told_nothing_of_the_task() -> None:
    (row,) = (row for row in ROWS if row.name == "blocked loop, blind")
    manifest = manifest_of(row.target, PROFILES["quick"], 1, blind=True)
    (point,), (subject,) = manifest.points, manifest.subjects
    assert (point.duration_ms, point.saturation_per_s, point.blocking_per_s) == (0, None, None)
    assert not subject.services
    assert not KINDS_RECORDED[point.kind].held
