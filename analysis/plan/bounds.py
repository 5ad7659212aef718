"""What limits a setting, and up to which rate each of that holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.plan.demand import Demand
from analysis.plan.lines import Waits, Work, highest_rate, waits
from analysis.plan.measures import Answered, Measure
from analysis.plan.settings import Setting

BUSY: Final = 0.8
"""share of a core that a process may use, and share of all cores that all of them may: beyond it p99s were
seen to rise from the competition for cores alone"""
ENDLESS: Final = float("inf")


@dataclass(frozen=True)
class Bound:
    """One thing that gives way as the rate grows."""

    name: str
    gives_way: str
    """what happens then, in words"""
    carries_per_s: float
    """up to which rate it holds; infinite where it never gives way"""


def work(measure: Measure, demand: Demand) -> Work:
    """Return the tasks as they hold this subject's slots."""
    return Work(demand.duration_ms, measure.overhead_ms(demand.duration_ms), demand.lasting, demand.peak_s)


def keeps(measure: Measure, demand: Demand, found: Waits) -> bool:
    """Say whether tasks end in time, and whoever waits with them is answered in time."""
    ended_ms = found.completion.high + started_late_ms(measure)
    return ended_ms <= demand.done_within_ms and found.shared.high + quiet_ms(measure) <= demand.slo_p99_ms


def started_late_ms(measure: Measure) -> float:
    """Return what 99 of 100 tasks waited without a queue: for a broker, a thread, the web process.

    A poll's ticks are in the queue's own law.
    """
    return 0.0 if measure.service.law == "poll" or not measure.start_ms > 0 else measure.start_ms


def quiet_ms(measure: Measure) -> float:
    """Return the p99 of the API where little was to do."""
    return min((each.p99_ms for each in measure.answered), default=0.0)


def closed_bounds(measure: Measure, demand: Demand, setting: Setting) -> Iterator[Bound]:
    """Yield what needs no queue to be followed."""
    if measure.answered:
        fast = fast_to(measure.answered, demand.slo_p99_ms) / measure.web_processes
        yield Bound("API", "the API gets slow", fast * setting.web_processes)
    copies = {"web": setting.web_processes, "worker": setting.worker_copies}
    for role, many in copies.items():
        if many and (each_s := task_s(measure, demand, role)):
            words = f"the core of each {role} process gets full"
            yield Bound(f"{role} core", words, many * _lanes(measure, role) * BUSY / each_s)
    if each_s := sum(task_s(measure, demand, role) for role in ("web", "worker", "broker")):
        full = "the only core gets full" if demand.cores == 1 else f"all {demand.cores} cores get full"
        yield Bound("cores", full, demand.cores * BUSY / each_s)


def queue_bound(measure: Measure, demand: Demand, setting: Setting) -> Bound:
    """Return up to which rate tasks end in time and whoever waits in their queue is answered."""
    line, own = setting.line(measure), work(measure, demand)
    if not line.servers:
        held = keeps(measure, demand, waits(line, demand.highest_per_s, own))
        return Bound("tasks", "no rate is low enough", ENDLESS if held else 0.0)
    start = line.servers * line.queues / own.held_s
    carries = highest_rate(line, own, lambda found: keeps(measure, demand, found), start)
    who = "tasks, and requests with them," if line.shares else "tasks"
    words = f"{who} wait for one of {setting.slots} slots"
    return Bound("slots", words, carries)


def task_s(measure: Measure, demand: Demand, role: str) -> float:
    """Return the processor time of a role for a task, at the upper end of what was measured."""
    cost = measure.cost(role)
    computes = demand.kind.startswith("cpu") and role == ("worker" if measure.workers else "web")
    measured = not demand.kind.startswith("cpu") or measure.kind == demand.kind
    own = demand.duration_ms / 1000 if computes and not measured else 0.0
    return own + (cost.task_ms[2] / 1000 if cost else 0.0)


def fast_to(answered: Sequence[Answered], slo_ms: float) -> float:
    """Return up to which rate the API was fast: the split that fewest of the measured steps contradict.

    Of equal ones the lowest, so that doubt makes a plan larger.
    """
    rates = sorted({each.rate_per_s for each in answered})

    def contradicted(split: float) -> int:
        return sum((each.p99_ms <= slo_ms) != (each.rate_per_s <= split) for each in answered)

    return min([0.0, *rates], key=lambda rate: (contradicted(rate), rate))


def _lanes(measure: Measure, role: str) -> int:
    """Return how many cores one copy of a role can use: pure Python one a process."""
    return max(measure.service.processes, 1) if role == "worker" else 1
