"""What one step of a trial says of its rate: whether the API blocks and the work falls behind, how surely."""

import math
from collections.abc import Mapping
from typing import Any, Final

from results.terms import Stream

REJECTED_SHARE: Final = 0.01
"""a queue that turns away more of its tasks does not keep up, though its backlog is bounded"""


def blocking(row: Mapping[str, Any], limit_ms: float) -> dict[str, Any]:
    """Return `blocked`, `blocked_certain` and `blocked_by` from the p99s of a summary's row.

    Blocked means that the p99 of at least one stream is above the limit. That is certain where one stream's
    whole interval is above it, the generator's own lateness taken off, or every stream's interval is below
    it: lateness can only add to a latency. Too few samples for an interval are certain only of a block, and
    only where half of them are above the limit; without any sample nothing is certain.
    """
    crossed = [each for each in Stream if row[f"{each.column}_p99_ms"] > limit_ms]
    above = any(_surely_ms(row, each) - row["slip_p99_ms"] > limit_ms for each in crossed)
    asked = [each for each in Stream if row[f"{each.column}_n"]]
    below = bool(asked) and all(row[f"{each.column}_p99_high_ms"] <= limit_ms for each in asked)
    crossed.sort(key=lambda each: -row[f"{each.column}_p99_ms"])
    return {
        "blocked": bool(crossed),
        "blocked_certain": bool(above if crossed else below),
        "blocked_by": ", ".join(each.latency for each in crossed),
    }


def _surely_ms(row: Mapping[str, Any], stream: Stream) -> float:
    low_ms = float(row[f"{stream.column}_p99_low_ms"])
    return float(row[f"{stream.column}_p50_ms"]) if math.isnan(low_ms) else low_ms


def falling_behind(row: Mapping[str, Any], _limit_ms: float = math.nan) -> dict[str, Any]:
    """Return `behind` and `behind_certain`: the backlog's growth, or a queue that turns tasks away."""
    share = row["rejected"] / row["due"] if row["due"] else 0.0
    if share > REJECTED_SHARE:
        return {"behind": True, "behind_certain": True}
    return {"behind": row["behind"], "behind_certain": row["behind_certain"]}
