"""How many processes of a service carry a demand, by the points that were measured of one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from analysis.format import listed, number
from analysis.plan.bounds import BUSY, ENDLESS, Bound
from analysis.plan.demand import RateDemand
from analysis.plan.lines import Range
from analysis.plan.options import Refusal
from analysis.plan.service_measures import Latencies, ServiceMeasures
from analysis.trials.questions import BLOCKING

MOST_PROCESSES_OF_A_SERVICE: Final = 1000


@dataclass(frozen=True)
class ServiceOption:
    """So many processes of a service, each like the one that was measured."""

    measures: ServiceMeasures
    demand: RateDemand
    processes: int

    @cached_property
    def bounds(self) -> list[Bound]:
        """What gives way first comes first, each up to the rate at which it was seen to hold."""
        return sorted(
            _bounds(self.measures, self.demand, self.processes), key=lambda each: each.carries_per_s
        )

    @property
    def carries_per_s(self) -> float:
        """Up to which rate everything was seen to hold, of one process times their number."""
        return self.bounds[0].carries_per_s

    @property
    def fails_per_s(self) -> float:
        """The lowest rate at which something was seen to give way, in the same way; infinite for nothing."""
        found = [point.bracket.failed for point in self.measures.points if point.bracket.failed is not None]
        return self.processes * min(found, default=ENDLESS)

    @property
    def utilisation(self) -> tuple[float, float]:
        """Between which shares of what it carries the highest rate lies."""
        rate = self.demand.highest_per_s
        return rate / self.fails_per_s, rate / self.carries_per_s

    @property
    def smaller(self) -> "Iterator[ServiceOption]":
        """With one process less each, as far down as one still carries some of the demanded rates."""
        for processes in range(self.processes - 1, 0, -1):
            yield (below := replace(self, processes=processes))
            if below.carries_per_s <= self.demand.lowest_per_s:
                return

    @property
    def covered(self) -> float:
        """Which share of the demanded rates it carries."""
        return self.demand.covered(self.carries_per_s)

    @property
    def cores(self) -> Range | None:
        """In use at the highest rate; None where nobody saw it."""
        costs, rate = self.measures.costs, self.demand.highest_per_s
        if not costs:
            return None
        idle = self.processes * sum(cost.idle_cores for cost in costs)
        return Range(*(idle + rate * sum(cost.task_ms[end] for cost in costs) / 1000 for end in range(3)))

    @property
    def memory_mib(self) -> float:
        """Of all its processes."""
        return self.processes * sum(cost.memory_mib for cost in self.measures.costs)

    @property
    def nearest(self) -> Latencies | None:
        """What was measured at the lowest rate that is no lower than a process's share of the demand."""
        share = self.demand.highest_per_s / self.processes
        above = [each for each in self.measures.held if each.rate_per_s >= share]
        return above[0] if above else None

    @property
    def instead(self) -> float | None:
        """How many times as much of what blocks one process would need; None where more of it is no help."""
        one = replace(self, processes=1)
        if self.processes == 1 or not self.measures.culprit.shared or one.bounds[0].name != BLOCKING:
            return None
        each_ms = sum(cost.task_ms[2] for cost in self.measures.costs if cost.role == "web")
        full = self.demand.sized_per_s * each_ms > BUSY * 1000
        return None if full else self.demand.sized_per_s / one.carries_per_s

    @property
    def extrapolated(self) -> Iterator[str]:
        """What no trial of the campaign stands for."""
        if self.processes > 1:
            yield (
                f"{self.processes} processes: measured with 1; taken to get equal shares of the requests, "
                "and to share no database that slows down"
            )
        if self.demand.cores != self.measures.cores:
            yield f"{_cores(self.demand.cores)}: measured on {self.measures.cores}"
        if self.instead:
            yield f"{number(self.instead)} times as much: what blocks is taken to carry in proportion"


def plan_service(measures: ServiceMeasures, demand: RateDemand) -> ServiceOption | Refusal:
    """Return how many processes carry a demand, or why none do."""
    name = measures.subject.key
    one = ServiceOption(measures, demand, 1)
    lacking = [point for point in measures.points if point.bracket.held is None]
    if lacking:
        failed = lacking[0].bracket.failed
        where = f"it gave way at {number(failed)}/s, the lowest rate tried" if failed else "no rate was found"
        return Refusal(name, f"no rate is known that it carries: {where}")
    scaled = min(each.carries_per_s for each in one.bounds if each.name != "cores")
    processes = math.ceil(demand.sized_per_s / scaled - 1e-9)
    if processes > MOST_PROCESSES_OF_A_SERVICE:
        return Refusal(name, f"more than {MOST_PROCESSES_OF_A_SERVICE} processes")
    found = replace(one, processes=max(processes, 1))
    if found.carries_per_s < demand.sized_per_s:
        first = found.bounds[0]
        return Refusal(
            name, f"{first.gives_way} from {number(first.carries_per_s)}/s on: it takes more cores"
        )
    return found


def _bounds(measures: ServiceMeasures, demand: RateDemand, processes: int) -> Iterator[Bound]:
    """Yield what gives way: the point of each question, and the cores where more use them than did."""
    slow = listed(measures.culprit.slow) or "requests"
    words = {BLOCKING: f"{slow} get{'' if len(measures.culprit.slow) != 1 else 's'} slow"}
    for point in measures.points:
        if point.bracket.held is not None:
            gives_way = words.get(point.question, "the work falls behind")
            yield Bound(point.question, gives_way, processes * point.bracket.held)
    each_ms = sum(cost.task_ms[2] for cost in measures.costs)
    if each_ms and (processes > 1 or demand.cores < measures.cores):
        full = "the only core gets full" if demand.cores == 1 else f"all {demand.cores} cores get full"
        yield Bound("cores", full, demand.cores * BUSY * 1000 / each_ms)


def _cores(many: int) -> str:
    return "1 core" if many == 1 else f"{many} cores"
