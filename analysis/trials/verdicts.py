"""What one step of a trial says of its rate: whether the API blocks and the work falls behind, how surely."""

import math
from collections.abc import Mapping
from typing import Any, Final

from analysis.trials.slowness import judge, of_row
from results.terms import Stream

REJECTED_SHARE: Final = 0.01
"""a queue that turns away more of its tasks does not keep up, though its backlog is bounded"""


def blocking(row: Mapping[str, Any], limit_ms: float) -> dict[str, Any]:
    """Return `blocked`, `blocked_certain` and `blocked_by` from the slow spells of a summary's row.

    Blocked means that more than 1 % of the requests of at least one stream take longer than the limit: its
    p99 is above it. That is certain where one stream's share is surely above 1 %, or every stream's surely
    is not, whatever spells a trial of its length may have missed: see `slowness.judge`.
    """
    found = {stream: judge(of_row(row, stream, limit_ms)) for stream in Stream if row[f"{stream.column}_n"]}
    slow = [stream for stream, each in found.items() if each.blocked]
    slow.sort(key=lambda stream: -found[stream].share)
    sure = (found[stream].certain for stream in slow or found)
    return {
        "blocked": bool(slow),
        "blocked_certain": bool(found) and (any(sure) if slow else all(sure)),
        "blocked_by": ", ".join(stream.latency for stream in slow),
    }


def falling_behind(row: Mapping[str, Any], _limit_ms: float = math.nan) -> dict[str, Any]:
    """Return `behind` and `behind_certain`: the backlog's growth, or a queue that turns tasks away."""
    share = row["rejected"] / row["due"] if row["due"] else 0.0
    if share > REJECTED_SHARE:
        return {"behind": True, "behind_certain": True}
    return {"behind": row["behind"], "behind_certain": row["behind_certain"]}
