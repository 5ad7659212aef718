"""The command `plan` of strategies: how many processes, workers and slots each takes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.commands.plan_documents import option_documents, refusal_documents
from harness.commands.plan_request import Planned, PlanRequest
from results.errors import BlockpointError

if TYPE_CHECKING:
    from analysis.plan.demand import Demand
    from analysis.plan.measures import Measures

SLO_MS: Final = 200.0
"""unless another is asked for"""
OF_A_SERVICE: Final = ("pool",)
"""options that say nothing of strategies"""


def plan_of_strategies(request: PlanRequest, folder: Path | None) -> Planned:
    """Return who carries the demand, by a campaign or the shipped reference; raises BlockpointError."""
    from analysis.drills.facts import shipped_facts
    from analysis.plan.options import options
    from analysis.plan.reference import read_measures, shipped
    from analysis.plan.staircase import draw, stairs
    from analysis.plan.words import told_plan

    request.refuse(OF_A_SERVICE, "says something of a service's campaign only")
    duration_ms = _duration_ms(request)
    found = read_measures(folder) if folder else shipped()
    demand = _demand(request, duration_ms, found)
    able, unable = options(found, demand, shipped_facts())
    if not able and not unable:
        kinds = ", ".join(sorted({each.kind for each in found.subjects}))
        raise BlockpointError(f"{found.campaign}: measured no {demand.kind} tasks, but {kinds}")
    document = {
        "campaign": found.campaign,
        "demand": _document(demand),
        "options": option_documents(able),
        "refused": refusal_documents(unable),
    }
    drawing = draw(stairs(able, demand), demand) if request.html else ""
    return Planned(told_plan(found, demand, able, unable), drawing, document)


def _duration_ms(request: PlanRequest) -> float:
    if not request.duration_ms:
        missing = (
            "a task that takes no time needs no plan" if request.duration_ms == 0 else "how long a task lasts"
        )
        raise BlockpointError(f"--duration: {missing}; write 800ms")
    return request.duration_ms


def _demand(request: PlanRequest, duration_ms: float, found: "Measures") -> "Demand":
    from analysis.plan.demand import Demand

    low, high = request.rates_per_s
    return Demand(
        lowest_per_s=low,
        highest_per_s=high,
        duration_ms=duration_ms,
        cv=request.cv,
        kind=request.kind,
        slo_p99_ms=request.slo_p99_ms or SLO_MS,
        done_within_ms=request.done_within_ms,
        durable=request.durable,
        cores=request.cores or found.cores,
        peak_s=request.peak_s,
        headroom=request.headroom,
    )


def _document(demand: "Demand") -> dict[str, Any]:
    return {
        "rate_per_s": [demand.lowest_per_s, demand.highest_per_s],
        "sized_for_per_s": demand.sized_per_s,
        "kind": demand.kind,
        "duration_ms": demand.duration_ms,
        "cv": demand.cv,
        "slo_p99_ms": demand.slo_p99_ms,
        "done_within_p99_ms": demand.done_within_ms,
        "durable": demand.durable,
        "cores": demand.cores,
        "peak_s": demand.peak_s,
    }
