"""What the edges of a point rest on, in plain words: shares of slow requests, open ends, full cores."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from analysis.format import milliseconds, number, percent
from analysis.trials.endings import Ending
from analysis.trials.points import edges
from analysis.trials.questions import BLOCKING, QUESTIONS

_ENDS: Final = {
    Ending.EVERYWHERE: "The {point} at every rate, since a task takes longer than {limit}.",
    Ending.HIGHEST: "{held} was the highest rate tried: above it nothing is known.",
    Ending.LOWEST: "{failed} was the lowest rate tried: below it nothing is known.",
    Ending.ABOVE: "Where the {point} was not found above {held}: the search ended ({because}).",
    Ending.BELOW: "Where the {point} was not found below {failed}: the search ended ({because}).",
    Ending.UNFINISHED: "Where the {point} is unfinished, {held} to {failed}: {because}.",
}
"""of those that are not what was asked for"""


def edges_in_words(points: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return sentences about the points of one subject and condition, given by question."""
    return [*_slow_shares(points[BLOCKING]), *_ends(points), *_full_cores(points)]


def _slow_shares(point: Mapping[str, Any]) -> list[str]:
    """Tell by which share of slow requests the edges of the blocking point were judged."""
    found, limit = edges(point), milliseconds(point["limit_ms"])
    asked = (
        (found.held, "held_slow_share", "at most", "held_slow_high"),
        (found.failed, "failed_slow_share", "at least", "failed_slow_low"),
    )
    told = [
        (
            f"{percent(point[share])}",
            f"at {number(rate)}/s ({bounded} {percent(point[bound])} in the long run)",
        )
        for rate, share, bounded, bound in asked
        if rate is not None and np.isfinite(point[share])
    ]
    if not told:
        return []
    (share, where), *then = told
    first = f"Of the slowest stream {share} of the requests took longer than {limit} {where}"
    sentences = [", and ".join([first, *map(" ".join, then)]) + "."]
    if np.isfinite(point["held_unseen_s"]):
        every = number(point["held_unseen_s"])
        sentences.append(f"A stall rarer than about every {every} s would not have been seen.")
    return sentences


def _ends(points: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say of each interval that is open or unfinished what that means."""
    found = (
        _ENDS[Ending(point["ending"])].format(
            point=question.label,
            limit=milliseconds(point["limit_ms"]),
            held=f"{number(edges(point).held or 0)}/s",
            failed=f"{number(edges(point).failed or 0)}/s",
            because=point["wider_because"],
        )
        for question, point in ((each, points[name]) for name, each in QUESTIONS.items())
        if point["ending"] in _ENDS
    )
    return list(dict.fromkeys(found))


def _full_cores(points: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name the points that another machine would move."""
    bound = ((question, points[name]["core_bound"]) for name, question in QUESTIONS.items())
    return [
        f"Where {question.words} moves with the machine: the {role}'s core was full there."
        for question, role in bound
        if role
    ]
