"""A plan for programs: one entry an option, one a refusal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.terminal.document import finite, number

if TYPE_CHECKING:
    from analysis.plan.lines import Range
    from analysis.plan.options import Option, Refusal
    from analysis.plan.settings import Setting


def option_documents(options: Sequence["Option"]) -> list[dict[str, Any]]:
    """Return options in their order."""
    return [_option(each) for each in options]


def refusal_documents(refusals: Sequence["Refusal"]) -> list[dict[str, Any]]:
    """Return who does not carry the demand, and why."""
    return [{"subject": each.subject, "because": each.why} for each in refusals]


def _option(each: "Option") -> dict[str, Any]:
    return {
        "subject": each.subject,
        **_setting(each.setting, each.measure.workers),
        "utilisation": finite(each.utilisation),
        **_range("queue_wait_p99_ms", each.queue_ms),
        **_range("completion_p99_ms", each.completion_ms),
        **_range("cores", each.cores),
        "memory_mib": finite(each.memory_mib),
        **number("carries_per_s", each.carries_per_s),
        "gives_way": [
            {"what": bound.name, "words": bound.gives_way, **number("carries_per_s", bound.carries_per_s)}
            for bound in each.bounds
        ],
        "smaller": [
            {
                **_setting(below.setting, each.measure.workers),
                **number("carries_per_s", below.carries_per_s),
                "share_of_demanded_rates": finite(below.covered),
            }
            for below in each.smaller
        ],
        "when_it_dies": each.losses,
        "extrapolated": each.extrapolated,
        "trials": each.measure.trials,
    }


def _setting(setting: "Setting", workers: int) -> dict[str, Any]:
    return {
        "web_processes": setting.web_processes,
        "worker_processes": setting.worker_copies * workers,
        "slots": setting.slots or None,
        "slots_of_each": setting.slots_each or None,
    }


def _range(name: str, found: "Range") -> dict[str, Any]:
    return {
        name: finite(found.middle),
        f"{name}_low": finite(found.low),
        f"{name}_high": finite(found.high),
    }
