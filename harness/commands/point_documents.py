"""The points of a campaign for programs: one entry a subject and condition, in it one for each question."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.trials.endings import Ending
from analysis.trials.points import unseen
from harness.terminal.document import finite, number

ABOUT = ("strategy", "variant", "kind", "duration_ms", "topology")


def point_documents(points: Any) -> list[dict[str, Any]]:
    """Return rows of `analysis.trials.points.find_points` without a number that JSON does not have."""
    rows = points.to_dict("records")
    return [_point(list(own)) for _, own in itertools.groupby(rows, lambda row: [row[key] for key in ABOUT])]


def questions_of(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every answer of these points."""
    for point in documents:
        yield from point["questions"].values()


def _point(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    common = rows[0]
    return {
        "subject": f"{common['strategy']}/{common['variant']}",
        "kind": common["kind"],
        "duration_ms": finite(common["duration_ms"]),
        "topology": common["topology"],
        "slots": int(common["slots"]) or None,
        "ceiling_per_s": finite(common["ceiling_per_s"]),
        "trials": int(common["trials"]),
        "invalid_trials": int(common["invalid"]),
        "load_s": finite(common["load_s"]),
        "not_measured_because": common["missing"] or None,
        "questions": {row["question"]: _answer(row) for row in rows if not unseen(row)},
    }


def _answer(row: Mapping[str, Any]) -> dict[str, Any]:
    measured = bool(row["trials"])
    return {
        "answered": measured and Ending(row["ending"]).answered,
        "held_per_s": finite(row["held_per_s"]),
        "failed_per_s": finite(row["failed_per_s"]),
        "ending": row["ending"] or ("not found" if measured else "not measured"),
        "wider_because": row["wider_because"] or None,
        "certain": measured and bool(row["certain"]),
        "disputed": bool(row["disputed"]),
        "blocked_by": [name for name in row["by"].split(", ") if name],
        "core_bound": row["core_bound"] or None,
        **number("predicted_per_s", row["predicted_per_s"]),
    }
