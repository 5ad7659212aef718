from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis.queueing import backlog_growth
from analysis.trials.backlog import Backlog, completion_slope, measure
from analysis.trials.outstanding import outstanding
from benchmarks.simulation import Queue, fifo, trial
from results.draws import durations_ms, offsets_s
from results.lasting import Lasting
from results.load import Step
from results.terms import NEVER, Outcome
from results.traffic import USUAL

SEEDS = 40
FIXED = Queue("conditioned", "deterministic", 10)
RANDOM = Queue("conditioned", "exponential", 10)
BURSTY = Queue("onoff", "exponential", 1)
SLEEPING = Queue("onoff", "deterministic", 10)
FREE = Queue("poisson", "deterministic", 10)
LONG = 0.1 * 1e9
"""the simulated service time in ns"""


@cache
def verdicts(queue: Queue, rho: float, measured: int) -> list[Backlog]:
    made = (trial(queue, rho, measured, seed) for seed in range(SEEDS))
    return [measure(tasks, step, step.rate_per_s, held=queue.law == "deterministic") for tasks, step in made]


CASES = [
    ("far below", FIXED, 0.5, 400, (0, 0)),
    ("a line that empties again and again", FIXED, 0.8, 400, (0.02, 0.05)),
    ("a pool that sleeps, just below", FIXED, 0.95, 400, (0.15, 0.8)),
    ("... and just above", FIXED, 1.05, 400, (0.02, 0.1)),
    ("... with more arrivals", FIXED, 1.025, 1600, (0, 0.02)),
    ("random service takes more arrivals", RANDOM, 0.9, 1600, (0.05, 0.6)),
    ("... above too", RANDOM, 1.1, 1600, (0.05, 0.4)),
    ("few arrivals, far above", RANDOM, 1.5, 100, (0.1, 0.3)),
    ("bursts, well below: seldom did as many come as the rate says", BURSTY, 0.5, 400, (0.02, 0.8)),
    ("bursts, well above", BURSTY, 1.5, 400, (0.05, 0.2)),
    ("bursts before a pool that sleeps, below: its busy time tells", SLEEPING, 0.9, 1600, (0, 0.1)),
    ("... above, though too few may have come to show it", SLEEPING, 1.05, 1600, (0.05, 0.2)),
    ("free arrivals, below", FREE, 0.8, 1600, (0, 0.1)),
    ("free arrivals, above", FREE, 1.05, 1600, (0, 0.05)),
]


@pytest.mark.parametrize(("why", "queue", "rho", "measured", "bounds"), CASES)
def test_how_often_the_verdict_is_wrong_or_open(
    why: str, queue: Queue, rho: float, measured: int, bounds: tuple[float, float]
) -> None:
    found = verdicts(queue, rho, measured)
    wrong, undecided = bounds
    assert np.mean([each.behind != (rho > 1) for each in found]) <= wrong, why
    assert np.mean([not each.certain for each in found]) <= undecided, why
    assert np.mean([each.certain and each.behind != (rho > 1) for each in found]) <= 0.05, why


@pytest.mark.parametrize("queue", [FIXED, RANDOM, Queue("poisson", "deterministic", 40)])
@pytest.mark.parametrize("rho", [0.8, 1.05, 1.3])
def test_the_interval_covers_what_theory_says(queue: Queue, rho: float) -> None:
    found = verdicts(queue, rho, 1600)
    truth = backlog_growth(rho)
    slack = 0.001  # fixed service leaves almost no noise, and arrivals are whole numbers
    assert np.mean([e.growth_low - slack <= truth <= e.growth_high + slack for e in found]) >= 0.9
    assert np.mean([e.growth for e in found]) == pytest.approx(truth, abs=0.01)


def test_a_fixed_count_of_arrivals_and_the_quieter_series_narrow_the_margin() -> None:
    margins = [e.growth_high - e.growth for e in verdicts(FIXED, 1.1, 1600)]
    assert np.median(margins) < 0.005  # the schedule's own noise alone is 1.96 / sqrt(1600) = 0.049


@pytest.mark.parametrize(("share", "behind"), [(0, False), (0.002, False), (0.1, True), (0.5, True)])
def test_what_is_shed_came_and_never_leaves(share: float, behind: bool) -> None:
    tasks, step = trial(FIXED, 0.8, 1600, seed=1)
    shed = np.random.default_rng(1).random(len(tasks)) < share
    tasks.loc[shed, ["started_ns", "finished_ns", "outcome"]] = [NEVER, NEVER, Outcome.SHED]
    found = measure(tasks, step, step.rate_per_s, held=True)
    assert (found.behind, found.certain) == (behind, True)
    assert found.growth == pytest.approx(share, abs=0.02)


def test_slots_that_fill_are_no_growth() -> None:
    everlasting = Queue("conditioned", "deterministic", 100)
    tasks, step = trial(everlasting, 0.9, 120, seed=1)  # 1.7 service times long
    for held in (True, False):
        assert not measure(tasks, step, step.rate_per_s, held=held).behind
    assert not measure(tasks, step, step.rate_per_s, held=False).certain


def test_of_less_than_one_service_time_nothing_is_known() -> None:
    tasks, step = trial(Queue("conditioned", "deterministic", 100), 0.9, 60, seed=1)
    found = measure(tasks, step, step.rate_per_s)
    assert (found.growth_low, found.growth_high, found.behind, found.certain) == (-1, 1, False, False)


@pytest.mark.parametrize("held", [True, False])
def test_where_hardly_anything_finishes_nearly_all_stays_behind(held: bool) -> None:
    tasks, step = trial(Queue("conditioned", "deterministic", 1), 50, 400, seed=1)
    found = measure(tasks, step, step.rate_per_s, held=held)
    assert found.growth == pytest.approx(0.98, abs=0.02)
    assert found.behind
    assert found.certain


def test_a_coarse_poll_s_waves_are_no_growth() -> None:
    tasks, step = trial(FIXED, 0.5, 200, seed=2)
    tick_ns = int(5 * LONG)
    started = -(-tasks["due_ns"] // tick_ns) * tick_ns
    polled = tasks.assign(started_ns=started, finished_ns=started + int(LONG))
    assert not measure(polled, step, step.rate_per_s, held=True, tick_s=0.5).behind


def test_what_was_turned_away_does_not_stay_behind() -> None:
    tasks, step = trial(FIXED, 0.5, 1600, seed=3)
    away = np.random.default_rng(0).random(len(tasks)) < 0.5
    tasks["outcome"] = np.where(away, int(Outcome.REJECTED), int(Outcome.ACCEPTED))
    found = measure(tasks[~away | tasks["finished_ns"].gt(0)], step, step.rate_per_s)
    assert abs(found.growth) < 0.02
    assert not found.behind


def test_completions_come_at_the_service_rate_when_saturated_and_at_the_arrivals_below() -> None:
    tasks, step = trial(FIXED, 1.5, 1600, seed=4)
    assert completion_slope(tasks, step) == pytest.approx(FIXED.slots / 0.1, rel=0.01)
    tasks, step = trial(FIXED, 0.6, 1600, seed=4)
    assert completion_slope(tasks, step) == pytest.approx(step.rate_per_s, rel=0.05)


def test_no_tasks_and_no_time() -> None:
    tasks, step = trial(FIXED, 0.5, 100, seed=5)
    nothing = measure(tasks.iloc[:0], step, step.rate_per_s)
    assert (nothing.mean, nothing.end) == (0, 0)
    empty = Step(rate_per_s=1, duration_ms=0, from_ns=5, measure_from_ns=5, to_ns=5)
    assert not measure(tasks, empty, 1.0).certain
    assert np.isnan(completion_slope(tasks, empty))


def test_a_task_is_outstanding_from_due_to_its_end() -> None:
    tasks = pd.DataFrame(
        {
            "due_ns": [0, 10, 20, 30],
            "finished_ns": [15, -1, -1, 35],
            "failed_ns": [-1, 40, -1, -1],
            "outcome": [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.REJECTED],
        }
    )
    at = np.array([-1, 0, 10, 15, 20, 30, 40])
    assert list(outstanding(tasks, at)) == [0, 1, 2, 1, 2, 2, 1]


def varied(rho: float, services: float, seed: int, cv: float = 2.0) -> tuple[pd.DataFrame, Step]:
    """Return a trial of 40 slots that lasts so many services of 1 s."""
    rate, random = rho * 40, np.random.default_rng(seed)
    due = offsets_s(USUAL, rate, services, random, 0.2)
    held = durations_ms(1_000, Lasting(cv), len(due), random) / 1000
    started = fifo(due, held, 40)
    moments = {"due_ns": due, "started_ns": started, "finished_ns": started + held}
    tasks = pd.DataFrame({name: (at * 1e9).astype(np.int64) for name, at in moments.items()})
    step = Step(
        rate_per_s=rate,
        duration_ms=1_000,
        from_ns=0,
        measure_from_ns=int(0.2 * services * 1e9),
        to_ns=int(services * 1e9),
    )
    return tasks.assign(failed_ns=NEVER, outcome=int(Outcome.ACCEPTED)), step


def test_slots_that_long_tasks_go_on_filling_do_not_prove_that_the_work_keeps_up() -> None:
    def surely_kept_up(cv: float) -> int:
        made = (varied(1.1, 10, seed) for seed in range(SEEDS))
        found = [
            measure(tasks, step, step.rate_per_s, held=True, lasting=Lasting(cv)) for tasks, step in made
        ]
        return sum(each.certain and not each.behind for each in found)

    assert surely_kept_up(0.0) > SEEDS / 5, "their line is empty for most of the trial"
    assert surely_kept_up(2.0) == 0


def test_once_the_slots_have_filled_varied_tasks_are_judged_far_from_saturation() -> None:
    made = [varied(rho, 60, seed) for rho in (0.5, 1.4) for seed in range(5)]
    found = [measure(tasks, step, step.rate_per_s, held=True, lasting=Lasting(2.0)) for tasks, step in made]
    assert [each.behind for each in found] == [False] * 5 + [True] * 5
    assert all(each.certain for each in found)


def test_a_line_of_varied_tasks_that_happens_to_empty_is_no_proof() -> None:
    """At 3 % more than can be served it grows by a few tasks a minute, and wanders by more than that."""
    made = (varied(1.03, 60, seed, cv=1.0) for seed in range(SEEDS))
    found = [measure(tasks, step, step.rate_per_s, held=True, lasting=Lasting(1.0)) for tasks, step in made]
    assert sum(each.certain and not each.behind for each in found) <= SEEDS / 20
