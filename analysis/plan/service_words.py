"""A service's plan in words."""

from collections.abc import Iterator
from typing import Final

from analysis.format import listed, milliseconds, number, percent
from analysis.plan.demand import RateDemand
from analysis.plan.options import Refusal
from analysis.plan.service_measures import MeasuredPoint, ServiceMeasures
from analysis.plan.service_plan import ServiceOption
from analysis.plan.words import ToldPlan, covers, shown_trials, sized, told_rate
from analysis.trials.questions import QUESTIONS

_COLUMNS: Final = ("service", "processes", "busy", "carries", "cores", "memory")


def told_service_plan(
    measures: ServiceMeasures, demand: RateDemand, found: ServiceOption | Refusal, pool: int | None
) -> ToldPlan:
    """Return it in words; `pool` is how many there are now of what blocks, where somebody said so."""
    cores = f"{demand.cores} core{'' if demand.cores == 1 else 's'}"
    within = f"requests within {milliseconds(demand.slo_p99_ms)} (p99)"
    return ToldPlan(
        title=f"{told_rate(demand)} to {measures.subject.strategy}: {within}, {cores}",
        columns=_COLUMNS,
        options=[] if isinstance(found, Refusal) else [(_cells(found), list(_reasons(found, pool)))],
        nothing="nothing that was measured carries that",
        refusals=[f"{found.subject}: {found.why}"] if isinstance(found, Refusal) else [],
        source=list(_source(measures, demand)),
    )


def enlarged(found: ServiceOption, pool: int | None) -> int | None:
    """Return how large one process's pool would have to be, where a larger one would do instead."""
    return None if pool is None or found.instead is None else _up(found.instead * pool)


def _up(value: float) -> int:
    return int(-(-(value - 1e-9) // 1))


def _cells(found: ServiceOption) -> tuple[str, ...]:
    low, high = found.utilisation
    cores = found.cores
    return (
        found.measures.subject.key,
        str(found.processes),
        f"{percent(low)} to {percent(high)}" if low else f"at most {percent(high)}",
        f"{number(found.carries_per_s)}/s",
        f"{number(cores.low)} to {number(cores.high)}" if cores else "-",
        f"{number(found.memory_mib)} MiB" if found.measures.costs else "-",
    )


def _reasons(found: ServiceOption, pool: int | None) -> Iterator[tuple[str, str]]:
    measures, demand = found.measures, found.demand
    for point in measures.points:
        yield "one process", _told_point(point)
    if words := measures.culprit.words:
        yield "culprit", words
    if near := found.nearest:
        told = listed([f"{name} {milliseconds(ms)}" for name, ms in near.p99_ms.items()])
        share = number(demand.highest_per_s / found.processes)
        yield "expected", f"at {share}/s a process, p99 of {told}, measured at {number(near.rate_per_s)}/s"
    first, *later = found.bounds
    after = "".join(f"; then {each.gives_way}, from {number(each.carries_per_s)}/s" for each in later[:1])
    yield "gives way first", f"{first.gives_way}, somewhere above {number(first.carries_per_s)}/s{after}"
    yield from _smaller(found)
    if found.instead:
        size = enlarged(found, pool)
        many = f", {size} in place of {pool}" if size else ""
        yield "instead", f"1 process with {number(found.instead)} times as much of what blocks{many}"
    for beyond in found.extrapolated:
        yield "extrapolated", beyond
    yield "rests on", shown_trials(measures.trials)


def _told_point(point: MeasuredPoint) -> str:
    question, held, failed = QUESTIONS[point.question], point.bracket.held, point.bracket.failed
    doubt = f" ({point.doubt})" if point.doubt else ""
    if held is None or failed is None:
        return f"{question.reach} {number(held or 0)}/s and not known beyond{doubt}"
    return f"{question.label} between {number(held)} and {number(failed)}/s{doubt}"


def _smaller(found: ServiceOption) -> Iterator[tuple[str, str]]:
    for below in found.smaller:
        carry = "process carries" if below.processes == 1 else "processes carry"
        share = covers(below.demand, below.covered)
        yield "smaller", f"{below.processes} {carry} {number(below.carries_per_s)}/s{share}"


def _source(measures: ServiceMeasures, demand: RateDemand) -> Iterator[str]:
    cores = f"{measures.cores} core{'' if measures.cores == 1 else 's'}"
    yield "a process: what the service's command started for the campaign, with its workers"
    yield (
        f"measured in the campaign {measures.campaign} ({measures.cpu_model or 'unknown CPU'}, {cores}, "
        f"Python {measures.python}); another machine, or other data, answers otherwise"
    )
    yield from sized(demand)
