"""What a campaign was to measure and did not: it keeps a row that says so, and why."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from results.failures import Failure
from results.schema import Manifest, Plan, Point
from results.terms import STEADY

Key = tuple[str, str, float, str]
"""subject, kind, duration in ms, topology"""
NO_TRIAL: Final = "no trial was made: the time was up, or it was interrupted; continue it with --resume"


def unmeasured(
    manifest: Manifest, seen: Collection[Key], failures: Sequence[Failure]
) -> Iterator[tuple[Key, str]]:
    """Yield every point, or planned steady load, that is not among those `seen`, and why it is not."""
    for key in dict.fromkeys(map(key_of, _wanted(manifest))):
        if key not in seen:
            yield key, reason(key, failures) or NO_TRIAL


def reason(key: Key, failures: Sequence[Failure]) -> str:
    """Return why the last trial there could not be measured; empty where none failed."""
    return next((failure.why for failure in reversed(failures) if key_of(failure.plan) == key), "")


def key_of(item: Plan | Point) -> Key:
    """Return what a trial or a point is about."""
    return item.subject, item.kind, item.duration_ms, item.topology


def _wanted(manifest: Manifest) -> list[Plan | Point]:
    steady = (plan for plan in manifest.plans if plan.scenario == STEADY and not plan.drill)
    return [*manifest.points, *steady]
