"""Which subject carries furthest: the one order of the chart, and of the table that ends a search."""

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from analysis.order import order, subjects
from analysis.trials.points import by_question
from analysis.trials.questions import BLOCKING
from analysis.trials.stretches import Edge, edges_of

_LEAST_PER_S: Final = 0.1
"""what a subject that fails at any rate counts as"""


def ranked(points: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the subjects, those first that carry furthest before the first thing goes wrong.

    Over several durations the mean of the logarithm counts, of the rate times the duration. Among equals
    those come first whose API stays fast for longer.
    """
    carried = {(strategy, variant): _carried(own) for strategy, variant, own in subjects(points)}
    return sorted(carried, key=lambda subject: (carried[subject], order(*subject)))


def _carried(own: pd.DataFrame) -> tuple[float, float]:
    """Return what ranks a subject by its first edge and by that of its API, the least first."""
    found = [
        (float(str(duration_ms)), edges_of(by_question(rows)))
        for duration_ms, rows in own.groupby("duration_ms")
    ]
    first = [_far(ms, edge) for ms, edges_ in found for edge in edges_[:1]]
    api = [_far(ms, edge) for ms, edges_ in found for edge in edges_ if edge.question == BLOCKING]
    return _mean(first), _mean(api)


def _far(duration_ms: float, edge: Edge) -> float:
    """Return how far an edge lies, the furthest the least; tasks that take no time are ranked by rate."""
    return -math.log(max(edge.least_per_s, _LEAST_PER_S) * (duration_ms or 1.0))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.inf
