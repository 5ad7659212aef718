"""The trials of a campaign for programs: what each met at each rate or duration that it offered."""

from collections.abc import Mapping
from typing import Any

from harness.terminal.document import finite
from results.terms import OF_A_SERVICE, Stream

STREAMS = tuple(stream for stream in Stream if stream not in OF_A_SERVICE)
ABOUT = ("trial_id", "kind", "topology", "scenario")
FIGURES = (
    "duration_ms",
    "offered_per_s",
    "completed_per_s",
    *(f"{stream.column}_p{p}_ms" for stream in STREAMS for p in (50, 99)),
    "queue_wait_p99_ms",
    "completion_p99_ms",
    "backlog_growth",
    "web_cpu_cores",
    "worker_cpu_cores",
)
"""columns of the summary, each with its unit"""
AT_LEAST = tuple(f"{stream.column}_p99_at_least" for stream in STREAMS)
"""the p99 is no more than a lower bound, since requests were never answered"""


def trial_documents(summary: Any) -> list[dict[str, Any]]:
    """Return rows of the summary, one a trial and step, as numbers that JSON has."""
    return [_row(row) for row in summary.to_dict("records")]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": f"{row['strategy']}/{row['variant']}",
        **{name: row[name] for name in ABOUT},
        "valid": bool(row["valid"]),
        "reasons": [reason for reason in row["reasons"].split("; ") if reason],
        **{name: finite(row[name]) for name in FIGURES},
        **{name: bool(row[name]) for name in AT_LEAST},
    }
