"""A plan in words: what a terminal, a page and a pull request say alike."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.format import milliseconds, number, percent
from analysis.plan.demand import Demand, RateDemand
from analysis.plan.lines import SCHEDULES, Range
from analysis.plan.measures import Measures
from analysis.plan.options import Option, Refusal
from analysis.plan.settings import Setting

_COLUMNS: Final = (
    "strategy",
    "web",
    "worker",
    "slots",
    "busy",
    "carries",
    "starts within",
    "done within",
    "cores",
    "memory",
)
_MOST_TRIALS: Final = 3


@dataclass(frozen=True)
class ToldPlan:
    """A plan in words, of whatever it is."""

    title: str
    columns: tuple[str, ...]
    options: list[tuple[tuple[str, ...], list[tuple[str, str]]]]
    """of each the cells of its row, and what else is to be said: about what, and the sentence"""
    nothing: str
    """said where there is no option"""
    refusals: list[str]
    source: list[str]


def told_plan(found: Measures, demand: Demand, able: Sequence[Option], unable: Sequence[Refusal]) -> ToldPlan:
    """Return a plan of strategies in words."""
    return ToldPlan(
        title=title(demand),
        columns=_COLUMNS,
        options=[(plan_cells(each), list(reasons(each, demand))) for each in able],
        nothing="none of the measured strategies carries that",
        refusals=[f"{each.subject}: {each.why}" for each in unable],
        source=list(source(found, demand)),
    )


def title(demand: Demand) -> str:
    """Return the demand in one line."""
    varied = f", cv {demand.cv:g}" if demand.cv else ""
    kept = "; no accepted task lost when the web process or a worker is killed" if demand.durable else ""
    tasks = f"{demand.kind} tasks of {milliseconds(demand.duration_ms)}{varied}"
    return (
        f"{told_rate(demand)} {tasks}: requests within "
        f"{milliseconds(demand.slo_p99_ms)}, tasks done within {milliseconds(demand.done_within_ms)} (p99), "
        f"{demand.cores} cores{kept}"
    )


def told_rate(demand: RateDemand) -> str:
    """Return the rates that are demanded."""
    low, high = number(demand.lowest_per_s), number(demand.highest_per_s)
    return f"{high}/s" if low == high else f"{low} to {high}/s"


def plan_cells(option: Option) -> tuple[str, ...]:
    """Return a row of the table."""
    setting = option.setting
    busy = "-" if option.utilisation is None else percent(option.utilisation)
    return (
        option.subject,
        str(setting.web_processes),
        str(setting.worker_copies * option.measure.workers or "-"),
        str(setting.slots or "no limit"),
        busy,
        f"{number(option.carries_per_s)}/s",
        milliseconds(option.queue_ms.middle),
        milliseconds(option.completion_ms.middle),
        f"{number(option.cores.low)} to {number(option.cores.high)}",
        f"{number(option.memory_mib)} MiB",
    )


def told_spread(found: Range) -> str:
    """Return a time with the ends of its interval: `12 ms (9.5 to 31 ms)`, one figure where they agree."""
    low, middle, high = (milliseconds(each) for each in (found.low, found.middle, found.high))
    return middle if low == high else f"{middle} ({low} to {high})"


def reasons(option: Option, demand: Demand) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of an option: what about, and the sentence."""
    measure, first = option.measure, option.first
    if measure.service.law == "await":
        yield "needs", "tasks that await whatever they wait for: one that blocks holds up the whole API"
    yield (
        "expected",
        (
            f"99 of 100 tasks start within {told_spread(option.queue_ms)} and are done within "
            f"{told_spread(option.completion_ms)}"
        ),
    )
    grows = "never" if math.isinf(first.carries_per_s) else f"from {number(first.carries_per_s)}/s on"
    later = [each for each in option.bounds[1:] if math.isfinite(each.carries_per_s)][:1]
    after = "".join(f"; then {each.gives_way}, from {number(each.carries_per_s)}/s" for each in later)
    yield "gives way first", f"{first.gives_way}, {grows}{after}"
    for below in option.smaller:
        share = covers(demand, below.covered)
        yield "smaller", f"{what(below.setting)} carry {number(below.carries_per_s)}/s{share}"
    for loss in option.losses:
        yield "when it dies", loss
    for beyond in option.extrapolated:
        yield "extrapolated", beyond
    yield "rests on", shown_trials(measure.trials)


def shown_trials(trials: Sequence[str]) -> str:
    """Return the first trials by name, and how many more there are."""
    more = len(trials) - _MOST_TRIALS
    return ", ".join(trials[:_MOST_TRIALS]) + (f" and {more} more trials" if more > 0 else "")


def what(setting: Setting) -> str:
    """Return a setting in a few words."""
    parts = [f"{setting.web_processes} web"]
    if setting.worker_copies:
        parts.append(f"{setting.worker_copies} worker")
    if setting.slots_each:
        parts.append(f"{setting.slots} slots")
    return ", ".join(parts)


def covers(demand: RateDemand, share: float) -> str:
    """Return which share of an interval of rates is carried, to follow a rate; empty for a single one."""
    return "" if demand.lowest_per_s == demand.highest_per_s else f", {percent(share)} of the demanded rates"


def sized(demand: RateDemand) -> Iterator[str]:
    """Yield what the plan is made for, where that is more than was asked for."""
    if demand.headroom > 1:
        yield f"sized for {number(demand.sized_per_s)}/s, {demand.headroom:g} times the highest rate"


def source(found: Measures, demand: Demand) -> Iterator[str]:
    """Yield what the figures are and what they rest on."""
    yield (
        f"costs are those of the campaign {found.campaign} ({found.cpu_model or 'unknown CPU'}, "
        f"{found.cores} {'core' if found.cores == 1 else 'cores'}, Python {found.python}); "
        "other work, or another machine, costs something else"
    )
    yield (
        f"waits: the queue followed task by task on {SCHEDULES} schedules of Poisson arrivals, at most "
        f"{number(demand.peak_s)} s each; in brackets the lowest and the highest p99 of them"
    )
    yield "ranked by the number of processes, then by cores in use, then by memory"
    yield from sized(demand)
