"""The user's own task for programs: what was timed before anything was searched."""

from collections.abc import Mapping
from typing import Any, Final

from harness.campaign.own_record import HOLDS, RECORD
from harness.terminal.document import finite
from results.schema import Manifest

TOLD: Final = (
    "task",
    "defined",
    "source_sha256",
    "args_sha256",
    "timed_in",
    "returned_bytes",
    "last_error",
    "queued",
)
PHASES: Final = {
    "alone": f"{RECORD} alone",
    "side_by_side": f"{RECORD} side by side",
    "in_processes": f"{RECORD} in processes",
}
"""the ways in which it was called, and their names in a manifest"""


def task_document(manifest: Manifest) -> dict[str, Any]:
    """Return what a campaign says of the task that it was begun with, as `task`; empty without one."""
    told = manifest.environment.get(RECORD)
    if not isinstance(told, dict):
        return {}
    parts = {"holds": HOLDS, **PHASES}
    found = {name: _figures(manifest.environment.get(key)) for name, key in parts.items()}
    return {"task": {name: told.get(name) or None for name in TOLD} | found}


def _figures(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return numbers to as many digits as tell anything; None where it was not called in that way."""
    if not told:
        return None
    return {name: finite(value) if isinstance(value, float) else value for name, value in told.items()}
