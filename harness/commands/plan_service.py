"""The command `plan` of a service's campaign: how many processes of it, or how large a pool."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.commands.plan_documents import refusal_documents
from harness.commands.plan_request import Planned, PlanRequest
from harness.terminal.document import finite, number

if TYPE_CHECKING:
    from analysis.plan.service_measures import ServiceMeasures
    from analysis.plan.service_plan import ServiceOption

OF_STRATEGIES: Final = ("duration_ms", "cv", "kind", "done_within_ms", "durable", "peak_s")
"""options that say nothing of a service, whose tasks are as they were measured"""


def plan_of_service(request: PlanRequest, folder: Path) -> Planned:
    """Return what carries the demand; raises BlockpointError for an option that says nothing of a service."""
    from analysis.plan.demand import RateDemand
    from analysis.plan.options import Refusal
    from analysis.plan.service_measures import read_service_measures
    from analysis.plan.service_plan import plan_service
    from analysis.plan.service_words import told_service_plan

    request.refuse(OF_STRATEGIES, "says nothing of a service, whose tasks are as they were measured")
    measures = read_service_measures(folder, request.slo_p99_ms)
    low, high = request.rates_per_s
    demand = RateDemand(
        lowest_per_s=low,
        highest_per_s=high,
        slo_p99_ms=measures.limit_ms,
        cores=request.cores or measures.cores,
        headroom=request.headroom,
    )
    found = plan_service(measures, demand)
    refused = [found] if isinstance(found, Refusal) else []
    document = {
        "campaign": measures.campaign,
        "demand": {
            "rate_per_s": [low, high],
            "sized_for_per_s": demand.sized_per_s,
            "slo_p99_ms": demand.slo_p99_ms,
            "cores": demand.cores,
            "pool": request.pool,
        },
        "service": _service(measures),
        "options": [] if isinstance(found, Refusal) else [_option(found, request.pool)],
        "refused": refusal_documents(refused),
    }
    return Planned(told_service_plan(measures, demand, found, request.pool), "", document)


def _service(measures: "ServiceMeasures") -> dict[str, Any]:
    culprit = measures.culprit
    return {
        "requests": measures.subject.asked,
        "blocked": list(culprit.slow),
        "fast_meanwhile": list(culprit.fast),
        "culprit": culprit.words or None,
        "questions": {
            point.question: {
                "held_per_s": finite(point.bracket.held),
                "failed_per_s": finite(point.bracket.failed),
                "doubt": point.doubt or None,
            }
            for point in measures.points
        },
    }


def _option(found: "ServiceOption", pool: int | None) -> dict[str, Any]:
    from analysis.plan.service_words import enlarged

    low, high = found.utilisation
    cores, near = found.cores, found.nearest
    return {
        "subject": found.measures.subject.key,
        "processes": found.processes,
        "utilisation_low": finite(low),
        "utilisation_high": finite(high),
        "cores": finite(cores.middle) if cores else None,
        "cores_low": finite(cores.low) if cores else None,
        "cores_high": finite(cores.high) if cores else None,
        "memory_mib": finite(found.memory_mib) if cores else None,
        "carries_per_s": finite(found.carries_per_s),
        **number("fails_per_s", found.fails_per_s),
        "gives_way": [
            {"what": each.name, "words": each.gives_way, **number("carries_per_s", each.carries_per_s)}
            for each in found.bounds
        ],
        "smaller": [
            {
                "processes": below.processes,
                "carries_per_s": finite(below.carries_per_s),
                "share_of_demanded_rates": finite(below.covered),
            }
            for below in found.smaller
        ],
        "p99_ms": {name: finite(ms) for name, ms in near.p99_ms.items()} if near else {},
        "p99_measured_at_per_s": finite(near.rate_per_s) if near else None,
        "one_process_with_times_the_pool": finite(found.instead),
        "pool": enlarged(found, pool),
        "extrapolated": list(found.extrapolated),
        "trials": list(found.measures.trials),
    }
