"""What one step of a trial says of its rate: whether the API blocks and the work falls behind, how surely."""

import math
from collections.abc import Mapping
from typing import Any, Final

STREAMS: Final = {"accept": "accept", "ping": "/ping", "ping_sync": "/ping-sync"}
"""the streams of requests whose p99 says whether the API is blocked"""
REJECTED_SHARE: Final = 0.01
"""a queue that turns away more of its tasks does not keep up, though its backlog is bounded"""


def blocking(row: Mapping[str, Any], limit_ms: float) -> dict[str, Any]:
    """Return `blocked`, `blocked_certain` and `blocked_by` from the p99s of a summary's row.

    Blocked means that the p99 of at least one stream is above the limit. That is certain where one stream's
    whole interval is above it, the generator's own lateness taken off, or every stream's interval is below
    it: lateness can only add to a latency. Too few samples for an interval are certain only of a block, and
    only where half of them are above the limit; without any sample nothing is certain.
    """
    crossed = [name for name in STREAMS if row[f"{name}_p99_ms"] > limit_ms]
    above = any(_surely_ms(row, name) - row["slip_p99_ms"] > limit_ms for name in crossed)
    asked = [name for name in STREAMS if row[f"{name}_n"]]
    below = bool(asked) and all(row[f"{name}_p99_high_ms"] <= limit_ms for name in asked)
    crossed.sort(key=lambda name: -row[f"{name}_p99_ms"])
    return {
        "limit_ms": limit_ms,
        "blocked": bool(crossed),
        "blocked_certain": bool(above if crossed else below),
        "blocked_by": ", ".join(STREAMS[name] for name in crossed),
    }


def _surely_ms(row: Mapping[str, Any], name: str) -> float:
    low_ms = float(row[f"{name}_p99_low_ms"])
    return float(row[f"{name}_p50_ms"]) if math.isnan(low_ms) else low_ms


def falling_behind(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return `behind` and `behind_certain`: the backlog's growth, or a queue that turns tasks away."""
    share = row["rejected"] / row["due"] if row["due"] else 0.0
    if share > REJECTED_SHARE:
        return {"behind": True, "behind_certain": True}
    return {"behind": row["behind"], "behind_certain": row["behind_certain"]}
