import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from analysis.trials.gamma import gamma_quantile
from analysis.trials.slowness import SLOW_SHARE, Spells, judge, observe, pool, seconds_needed
from benchmarks.coverage.stalls import Stalls
from benchmarks.coverage.target import Target, run

Floats = npt.NDArray[np.float64]

LIMIT_MS, RATE = 100.0, 100.0
SPAN_S, SPANS = 60.0, 8
POOL = Target(slots=40, mean_s=0.1)
NEAR_THE_POINT = {
    "fixed": (POOL, 362.0),
    "fixed, few slots": (Target(slots=10, mean_s=0.1), 71.2),
    "fixed, long": (Target(slots=40, mean_s=0.5), 59.9),
    "exponential": (Target(slots=40, mean_s=0.1, law="exponential"), 340.0),
    "lognormal": (Target(slots=40, mean_s=0.1, law="lognormal"), 321.0),
    "bursts": (Target(slots=40, mean_s=0.1, arrivals="onoff"), 190.0),
}
"""targets, and the rate at which about 1 % of the requests to `/ping-sync` are slow in the long run"""


def spells(lengths_s: list[float], every_s: float, span_s: float = SPAN_S) -> tuple[Floats, Floats]:
    """Return due times and latencies of an even stream that is slow in spells at even distances."""
    due = np.arange(0, span_s, 1 / RATE)
    latency = np.full(len(due), 5.0)
    for number, length_s in enumerate(lengths_s):
        begin_s = 1 + number * every_s
        latency[(due >= begin_s) & (due < begin_s + length_s - 1e-9)] = 300.0
    return due, latency


def seen(lengths_s: list[float], every_s: float = 5.0, span_s: float = SPAN_S) -> Spells:
    return observe(*spells(lengths_s, every_s, span_s), span_s, LIMIT_MS)


@pytest.mark.parametrize(
    ("shape", "p", "value"),
    [(1, 0.95, 2.9957), (2, 0.05, 0.35536), (2.5, 0.95, 5.5352), (100, 0.95, 116.997)],
)
def test_quantiles_are_those_of_printed_tables_of_chi_square(shape: float, p: float, value: float) -> None:
    assert gamma_quantile(shape, p) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(
    ("why", "evidence", "blocked", "certain"),
    [
        ("no spell, and long enough to have met one", seen([], span_s=46), False, True),
        ("no spell, but too short", seen([], span_s=44), False, False),
        ("all slow", seen([4.0], span_s=4.0), True, True),
        ("slow from the middle on", seen([2.0], span_s=4.0), True, True),
        ("one hiccup in a short trial", seen([0.25], span_s=4.0), True, False),
        ("as often as in four trials", seen([0.25] * 4, every_s=4, span_s=16), True, True),
        ("half of what is allowed, in six spells", seen([0.05] * 6), False, False),
        ("a fifth of it, at length", seen([0.1] * 12, every_s=50, span_s=600), False, True),
    ],
)
def test_an_answer_is_certain_where_spells_rule_the_other_out(
    why: str, evidence: Spells, blocked: bool, certain: bool
) -> None:
    found = judge(evidence)
    assert (found.blocked, found.certain) == (blocked, certain), (why, found)


def test_it_says_what_it_saw_and_what_it_cannot_see() -> None:
    found = judge(seen([0.2, 0.4]))
    assert found.share == pytest.approx(0.01)
    assert (found.spells, found.assumed) == (2, False)
    assert found.spell_s == pytest.approx(0.3)
    assert found.unseen_s == pytest.approx(20, rel=0.01)
    quiet = judge(seen([]))
    assert (quiet.share, quiet.spells, quiet.assumed) == (0.0, 0, True)
    assert quiet.spell_s == pytest.approx(0.15)
    assert quiet.high == pytest.approx(SLOW_SHARE * seconds_needed(quiet.spell_s) / SPAN_S)


def test_without_requests_anything_is_possible() -> None:
    found = judge(observe(np.empty(0), np.empty(0), SPAN_S, LIMIT_MS))
    assert math.isnan(found.share)
    assert (found.low, found.high, found.blocked, found.certain) == (0.0, 1.0, False, False)


def test_slow_requests_close_together_are_one_spell() -> None:
    assert seen([0.1] * 3, every_s=0.4).spells == (30,)
    assert seen([0.1] * 3, every_s=0.7).spells == (10, 10, 10)


def test_longer_spells_of_requests_that_are_nearly_slow_raise_what_may_be_unseen() -> None:
    due, latency = spells([1.0] * 5, every_s=5)
    latency[latency > LIMIT_MS] = 80.0
    nearly = judge(observe(due, latency, SPAN_S, LIMIT_MS))
    assert nearly.share == 0
    assert nearly.high > 3 * judge(seen([])).high


def test_spans_pool_as_if_they_were_one() -> None:
    parts = [seen([0.3], span_s=10.0) for _ in range(6)]
    assert judge(pool(parts)) == judge(seen([0.3] * 6, every_s=10))
    assert judge(pool([])).certain is False


@pytest.mark.parametrize("name", NEAR_THE_POINT)
def test_bounds_hold_the_long_run_of_queues_near_saturation(name: str) -> None:
    """Nominal are 5 %; the upper one errs up to three times as often where spells are few and of any size."""
    target, rate = NEAR_THE_POINT[name]
    runs = [_sync(target, rate, seed) for seed in range(12)]
    share = float(np.mean([(latency > LIMIT_MS).mean() for _, latency in runs]))
    found = [judge(each) for due, latency in runs for each in _cut(due, latency)]
    assert np.mean([share < each.low for each in found]) <= 0.05
    assert np.mean([each.high < share for each in found]) <= 0.15


@pytest.mark.parametrize(("length_s", "every_s"), [(0.4, 4.0), (0.5, 20.0)])
def test_stalls_are_never_certain_to_be_absent(length_s: float, every_s: float) -> None:
    target = Target(slots=1000, mean_s=0.01, stalls=Stalls(length_s, every_s))
    for seed in range(5):
        for each in _cut(*_sync(target, 100.0, seed)):
            found = judge(each)
            assert found.blocked or not found.certain


def _sync(target: Target, rate: float, seed: int) -> tuple[Floats, Floats]:
    """Return the requests to `/ping-sync` of a run, after the queue has settled."""
    whole = run(target, [rate], RATE, 30 + SPAN_S * SPANS, seed=seed)
    settled = whole.sync_due_s >= 30
    due = whole.sync_due_s[settled]
    return due - 30, (whole.sync_replied_s[settled] - due) * 1000


def _cut(due: Floats, latency: Floats) -> Iterator[Spells]:
    for begin_s in np.arange(SPANS) * SPAN_S:
        inside = (due >= begin_s) & (due < begin_s + SPAN_S)
        yield observe(due[inside] - begin_s, latency[inside], SPAN_S, LIMIT_MS)
