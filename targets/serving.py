"""How strategies serve: what several of them declare alike."""

from results.schema import Service
from results.terms import KINDS


def alike(service: Service) -> dict[str, Service]:
    """Return how each kind is served where all are served in the same way."""
    return dict.fromkeys(KINDS, service)


def by_kind(waiting: Service, computing: Service) -> dict[str, Service]:
    """Return how each kind is served: those that coroutines can await, and those that compute."""
    return {name: waiting if kind.awaited else computing for name, kind in KINDS.items()}


def by_queue(waiting: Service, computing: Service) -> dict[str, Service]:
    """Return the same where what computes has a queue of its own, and a `def` that waits is not in it."""
    return {name: computing if kind.computes else waiting for name, kind in KINDS.items()}


def pool(slots: int, processes: int = 1) -> Service:
    """Return how so many threads or coroutines serve, which so many processes share among them."""
    return Service(law="pool", slots=slots, processes=processes)


def children(count: int) -> Service:
    """Return how a pool of so many processes serves, of which each does one task at a time."""
    return Service(law="pool", slots=count, processes=count, children=True)
