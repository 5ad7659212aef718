"""What keeps tasks from running side by side: by their kind, or of the user's own as it was measured."""

from typing import Final, Literal

from results.schema import Service
from results.terms import KINDS

FEW: Final = 0.1
"""share of its time below which what a task holds is no queue that others notice"""


def bound_of(service: Service, kind: str) -> Literal["", "gil", "cores"]:
    """Return what lets only some tasks run at once, on the safe side: empty where they only wait."""
    demand = service.demand
    if demand is None:
        return KINDS[kind].bound
    if demand.gil > FEW:
        return "gil"
    return "cores" if demand.cores > FEW else ""


def awaits(service: Service, kind: str) -> bool:
    """Say whether coroutines of a kind wait side by side, and leave the event loop to others meanwhile."""
    kept = service.demand.loop > FEW if service.demand else False
    return KINDS[kind].awaited and not bound_of(service, kind) and not kept


def demand_limits(service: Service, kind: str, seconds: float, cores: int) -> list[float]:
    """Return the rates (tasks/s) at which a task of the user's own takes up all of what it holds in part.

    By the utilisation law for each in turn: a GIL a process, the cores, and of what is awaited, a loop a
    process. With S the mean service time alone and g the share of it that a task holds, that is n / (g S).
    """
    demand = service.demand
    if demand is None or not seconds:
        return []
    holders = [(service.processes, demand.gil), (cores, demand.cores)]
    if service.law == "await" and KINDS[kind].awaited:
        holders.append((service.processes, demand.loop))
    return [count / (share * seconds) for count, share in holders if share]
