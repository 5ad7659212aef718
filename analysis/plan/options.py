"""Which subjects can carry a demand, with which setting; and why the others cannot."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from analysis.drills.facts import Fact
from analysis.plan.bounds import (
    Bound,
    closed_bounds,
    keeps,
    queue_bound,
    started_late_ms,
    task_s,
    work,
)
from analysis.plan.demand import Demand
from analysis.plan.lines import Range, waits
from analysis.plan.measures import Measure, Measures
from analysis.plan.settings import Setting, next_smaller, settings
from results.terms import KINDS

KILLS: Final = ("kill-web", "kill-worker")
"""after which nothing accepted may be missing, where a plan is to be durable"""
Facts = Mapping[tuple[str, str], Fact]


@dataclass(frozen=True)
class Option:
    """A subject that carries the demand, and how."""

    measure: Measure
    setting: Setting
    utilisation: float | None
    """of the slots, at the highest rate; None without slots"""
    queue_ms: Range
    """p99 of the wait for a slot"""
    completion_ms: Range
    bounds: list[Bound]
    """what gives way first comes first"""
    cores: Range
    """in use at the highest rate"""
    memory_mib: float
    losses: list[str]
    """what is lost where something dies, a sentence a drill"""
    extrapolated: list[str]
    """what lies beyond anything measured"""
    smaller: list["Smaller"]
    """settings below it, the nearest first"""

    @property
    def subject(self) -> str:
        """`strategy/variant`."""
        return self.measure.subject

    @property
    def first(self) -> Bound:
        """What gives way first."""
        return self.bounds[0]

    @property
    def carries_per_s(self) -> float:
        """Up to which rate everything holds."""
        return self.first.carries_per_s


@dataclass(frozen=True)
class Smaller:
    """A setting below the one that is recommended."""

    setting: Setting
    carries_per_s: float
    covered: float
    """share of the demanded rates that it carries"""


@dataclass(frozen=True)
class Refusal:
    """A subject that does not carry the demand."""

    subject: str
    why: str


def options(found: Measures, demand: Demand, facts: Facts) -> tuple[list[Option], list[Refusal]]:
    """Return who carries the demand, the cheapest first, and who does not."""
    able: list[Option] = []
    unable: list[Refusal] = []
    for measure in candidates(found, demand.kind):
        answer = option(found, measure, demand, facts)
        if isinstance(answer, Option):
            able.append(answer)
        else:
            unable.append(answer)
    return sorted(able, key=_price), unable


def candidates(found: Measures, kind: str) -> Iterator[Measure]:
    """Yield each subject with that kind of task, once; without any trial of it, with tasks that sleep."""
    seen: set[str] = set()
    for wanted in (kind, "sleep"):
        for measure in found.subjects:
            if measure.kind == wanted and measure.subject not in seen:
                seen.add(measure.subject)
                yield measure


def option(found: Measures, measure: Measure, demand: Demand, facts: Facts) -> Option | Refusal:
    """Return how one subject carries the demand, or why it does not."""
    if why := unfit(measure, demand, facts):
        return Refusal(measure.subject, why)
    rate, own = demand.sized_per_s, work(measure, demand)
    web, copies = _processes(measure, demand)
    last = "nothing that can be set is enough"
    for setting in settings(measure, web, copies):
        line = setting.line(measure)
        if line.servers and rate * own.held_s >= line.servers * line.queues and line.law != "poll":
            continue
        short = [each for each in closed_bounds(measure, demand, setting) if each.carries_per_s < rate]
        if short:
            last = f"{short[0].gives_way} from {short[0].carries_per_s:.3g}/s on"
            continue
        if keeps(measure, demand, waits(line, rate, own)):
            return _option(found, measure, demand, setting, facts)
        last = _late(measure, demand, setting)
    return Refusal(measure.subject, last)


def unfit(measure: Measure, demand: Demand, facts: Facts) -> str:
    """Return why no setting of a subject will do; empty where one may."""
    service, kind = measure.service, KINDS[demand.kind]
    if demand.slow_ms > demand.done_within_ms:
        return f"a task takes {demand.slow_ms:g} ms (p99) by itself"
    if service.law == "await" and "accept" in service.shares and demand.slow_ms > demand.slo_p99_ms:
        return f"a request lasts as long as its task: {demand.slow_ms:g} ms (p99)"
    if kind.bound and not measure.workers:
        return "the tasks would compute in the web process, where no law tells how slow the API gets"
    if demand.durable and (gone := _lost(measure, facts)):
        return gone
    return ""


def _lost(measure: Measure, facts: Facts) -> str:
    if not measure.workers:
        return "what it has accepted dies with the web process"
    for drill in KILLS:
        fact = facts.get((measure.subject, drill))
        if fact is None:
            return f"no drill of it was published: {drill}"
        if fact.lost:
            return f"{drill}: {fact.lost} of {fact.accepted} accepted tasks were lost"
    return ""


def _processes(measure: Measure, demand: Demand) -> tuple[int, int]:
    """Return how many web processes and copies of the workers the closed bounds ask for."""
    one = {each.name: each for each in closed_bounds(measure, demand, Setting(1, 1, 1))}
    need = {
        name: math.ceil(demand.sized_per_s / bound.carries_per_s - 1e-9) if bound.carries_per_s else 1
        for name, bound in one.items()
    }
    web = max(need.get("API", 1), need.get("web core", 1), 1)
    return web, max(need.get("worker core", 1), 1) if measure.workers else 0


def _late(measure: Measure, demand: Demand, setting: Setting) -> str:
    found = waits(setting.line(measure), demand.sized_per_s, work(measure, demand))
    if found.shared.high > demand.slo_p99_ms:
        return f"requests wait behind the tasks: {found.shared.high:.0f} ms (p99)"
    return f"tasks end within {found.completion.high:.0f} ms (p99) at best"


def _option(found: Measures, measure: Measure, demand: Demand, setting: Setting, facts: Facts) -> Option:
    rate, own = demand.highest_per_s, work(measure, demand)
    line = setting.line(measure)
    expected = waits(line, rate, own)
    late = started_late_ms(measure)
    return Option(
        measure=measure,
        setting=setting,
        utilisation=rate * own.held_s / (line.servers * line.queues) if line.servers else None,
        queue_ms=expected.queue + late,
        completion_ms=expected.completion + late,
        bounds=all_bounds(measure, demand, setting),
        cores=_cores(measure, demand, setting),
        memory_mib=_memory(measure, setting),
        losses=list(_losses(measure, facts)),
        extrapolated=list(_extrapolated(found, measure, demand, setting)),
        smaller=list(_smaller(measure, demand, setting)),
    )


def all_bounds(measure: Measure, demand: Demand, setting: Setting) -> list[Bound]:
    """Return what limits a setting, what gives way first before what gives way later."""
    every = [*closed_bounds(measure, demand, setting), queue_bound(measure, demand, setting)]
    return sorted(every, key=lambda bound: bound.carries_per_s)


def _smaller(measure: Measure, demand: Demand, setting: Setting) -> Iterator[Smaller]:
    """Yield the next smaller settings, as far down as one still carries some of the demanded rates."""
    below = next_smaller(measure, setting)
    while below:
        carries = all_bounds(measure, demand, below)[0].carries_per_s
        yield Smaller(below, carries, demand.covered(carries))
        below = next_smaller(measure, below) if carries > demand.lowest_per_s else None


def _cores(measure: Measure, demand: Demand, setting: Setting) -> Range:
    idle = sum(cost.idle_cores * _copies(cost.role, setting) for cost in measure.costs)
    own = sum(task_s(measure, demand, cost.role) - cost.task_ms[2] / 1000 for cost in measure.costs)
    ends = [sum(cost.task_ms[end] for cost in measure.costs) / 1000 + own for end in range(3)]
    return Range(*(idle + demand.highest_per_s * each for each in ends))


def _memory(measure: Measure, setting: Setting) -> float:
    return sum(cost.memory_mib * _copies(cost.role, setting) for cost in measure.costs)


def _copies(role: str, setting: Setting) -> int:
    return {"web": setting.web_processes, "worker": setting.worker_copies}.get(role, 1)


def _losses(measure: Measure, facts: Facts) -> Iterator[str]:
    drills = ("kill-web", *(("kill-worker", "kill-broker") if measure.workers else ()))
    for drill in drills:
        fact = facts.get((measure.subject, drill))
        if fact is None:
            yield f"{drill}: no drill of it was published"
        elif fact.lost:
            yield f"{drill}: {fact.lost} of {fact.accepted} accepted tasks lost"
        elif fact.held:
            yield f"{drill}: none lost, {fact.held} of {fact.accepted} still held at the end"
        elif fact.hidden_at_rest:
            yield f"{drill}: none lost, {fact.hidden_at_rest} of {fact.accepted} late"
        else:
            yield f"{drill}: none of {fact.accepted} accepted tasks lost"


def _extrapolated(found: Measures, measure: Measure, demand: Demand, setting: Setting) -> Iterator[str]:
    """Yield what no trial of the campaign stands for."""
    if measure.kind != demand.kind:
        yield f"{demand.kind}: costs are those of {measure.kind} tasks, and the computing itself"
    shortest, longest = measure.durations_ms[0], measure.durations_ms[-1]
    if not shortest <= demand.duration_ms <= longest:
        yield f"tasks of {demand.duration_ms:g} ms: measured from {shortest:g} to {longest:g} ms"
    if demand.cv:
        yield f"durations that vary (cv {demand.cv:g}): followed by the law, trials had equal ones"
    if demand.highest_per_s > measure.highest_per_s:
        yield f"{demand.highest_per_s:g}/s: measured up to {measure.highest_per_s:g}/s"
    if demand.cores != found.cores:
        yield f"{demand.cores} cores: measured on {found.cores}"
    if setting.web_processes > measure.web_processes:
        yield f"{setting.web_processes} web processes: measured with {measure.web_processes}"
    if setting.worker_copies > 1:
        yield f"{setting.worker_copies} times the workers: measured with one"
    own = measure.service.slots // max(measure.service.pools, 1)
    if setting.slots_each > own:
        yield f"{setting.slots_each} slots in a process: measured with {own}"


def _price(each: Option) -> tuple[float, ...]:
    """Order by processes, then cores and memory: what there is to run and to pay."""
    processes = each.setting.web_processes + each.setting.worker_copies * each.measure.workers
    return (processes, round(each.cores.middle, 2), each.memory_mib)
