"""What a campaign keeps of the file that its arrivals come from: which it was, and whether it still is."""

import hashlib
from pathlib import Path
from typing import Any, Final

from results.errors import BlockpointError
from results.schema import Manifest
from results.text import named
from results.traffic import Traffic

TRACE: Final = "trace"
"""what of a manifest's environment tells of it"""


def trace_record(traffic: Traffic) -> dict[str, Any]:
    """Return name and SHA-256 of the file, as a part of a manifest's environment; empty without one."""
    if not traffic.trace:
        return {}
    path = Path(traffic.trace)
    return {TRACE: {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}


def check_trace(manifest: Manifest) -> None:
    """Raise BlockpointError where the file is gone or another one than the campaign was begun with."""
    told = manifest.environment.get(TRACE)
    if told is None:
        return
    try:
        now = trace_record(manifest.traffic)[TRACE]
    except OSError as error:
        raise BlockpointError(
            f"the trace {named(Path(manifest.traffic.trace))} cannot be read: {error.strerror}"
        ) from None
    if told != now:
        raise BlockpointError(
            f"the trace {named(Path(manifest.traffic.trace))} has changed since the campaign began: "
            "its trials would not be comparable; start a new campaign"
        )
