"""What theory said of a search's point before its first trial: a rate, that there is none, or nothing."""

import math
from typing import Final

from analysis.queueing.blocking import unaffected
from analysis.queueing.ceilings import saturation_rate
from results.schema import Point, Subject
from results.traffic import Traffic

ONE_CORE: Final = 1
"""whether there is a limit does not depend on the cores"""


def expected_blocking(point: Point, subject: Subject, limit_ms: float) -> float | None:
    """Return the rate at which theory sees the API block: 0 at any, infinite at none.

    None where it knows of no law, and where it was not asked though it knows one.
    """
    service = subject.services.get(point.kind)
    if point.blocking_per_s is not None or service is None:
        return point.blocking_per_s
    apart, lasting = subject.workers > 0, Traffic.of(point.options).lasting
    slow_ms = lasting.not_exceeded(point.duration_ms, 0.99)
    free = unaffected(service, point.kind, slow_ms, apart=apart, limit_ms=limit_ms)
    return math.inf if free else None


def expected_saturation(point: Point, subject: Subject) -> float | None:
    """Return the rate at which theory sees the work fall behind: infinite at none, None where not asked."""
    service = subject.services.get(point.kind)
    if point.saturation_per_s is not None or service is None:
        return point.saturation_per_s
    limit = saturation_rate(service, point.kind, point.duration_ms, ONE_CORE)
    return math.inf if limit is None else None
