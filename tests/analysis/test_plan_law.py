"""The planner's law against a queue that shares no code with it."""

import numpy as np
import pytest

from analysis.plan.lines import WARM_UP, WaitingLine, Waits, Work, highest_rate, waits
from benchmarks.simulation import fifo
from results.lasting import EQUALLY, Lasting

SECONDS = 60.0


def work(duration_ms: float, cv: float = 0.0) -> Work:
    return Work(duration_ms, 0.0, Lasting(cv) if cv else EQUALLY, SECONDS)


def simulated(slots: int, rate: float, duration_ms: float, cv: float) -> tuple[float, float]:
    """Return the median over schedules of the p99 of waits and completions in ms."""
    told = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        due = np.sort(rng.uniform(0, SECONDS, round(rate * SECONDS)))
        s = np.sqrt(np.log(1 + cv * cv))
        held = duration_ms / 1000 * np.exp(rng.normal(-s * s / 2, s, len(due)))
        start = fifo(due, held, slots)
        late = due >= WARM_UP * SECONDS
        told.append([np.quantile((end - due)[late], 0.99) for end in (start, start + held)])
    wait, completion = np.median(told, axis=0)
    return 1000 * wait, 1000 * completion


@pytest.mark.parametrize(
    ("slots", "rate", "duration_ms", "cv"),
    [(1, 6, 100, 0), (10, 85, 100, 0), (40, 370, 100, 0), (10, 40, 200, 1.0), (20, 80, 200, 0.5)],
)
def test_waits_are_those_of_an_independent_simulation(
    slots: int, rate: float, duration_ms: float, cv: float
) -> None:
    found = waits(WaitingLine("pool", slots), rate, work(duration_ms, cv))
    wait, completion = simulated(slots, rate, duration_ms, cv)
    assert found.queue.low <= wait <= found.queue.high
    assert found.completion.middle == pytest.approx(completion, rel=0.1)


def test_a_queue_of_its_own_in_each_process_waits_longer_than_one_for_all() -> None:
    apart, together = (waits(WaitingLine("pool", 20 // n, n), 90, work(200)) for n in (2, 1))
    assert apart.queue.middle > together.queue.middle


def test_what_nothing_limits_does_not_wait() -> None:
    found = waits(WaitingLine("await", 0, shares=("accept",)), 500, work(100))
    assert (found.queue.high, found.shared.high) == (0, pytest.approx(100))


def test_requests_that_share_a_full_pool_wait_with_the_tasks() -> None:
    alone, sharing = (waits(WaitingLine("pool", 10, shares=s), 99, work(100)) for s in ((), ("ping_sync",)))
    assert alone.shared.high == 0
    assert sharing.shared.middle > sharing.queue.middle > 50


@pytest.mark.parametrize("slots", [4, 40])
def test_the_highest_rate_lies_below_the_law_and_holds(slots: int) -> None:
    def holds(found: Waits) -> bool:
        return found.completion.high <= 150

    line, own = WaitingLine("pool", slots), work(100)
    rate = highest_rate(line, own, holds, 20.0)
    assert 0.2 * slots / 0.1 < rate < slots / 0.1
    assert holds(waits(line, rate, own))
    assert not holds(waits(line, 1.03 * rate, own))


def test_no_rate_holds_what_a_single_task_breaks() -> None:
    assert (
        highest_rate(WaitingLine("pool", 4), work(100), lambda found: found.completion.low < 100, 20.0) == 0
    )
