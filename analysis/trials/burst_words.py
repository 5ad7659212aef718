"""What bursts would make of the blocking points, in a line: simulated, and said to be."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.queueing.bursts import MILD
from analysis.trials.brackets import Bracket
from analysis.trials.point_table import interval
from analysis.trials.points import edges
from analysis.trials.questions import BLOCKING

_MILD: Final = f"mild bursts ({MILD.burst_mean_s:g} s at twice the rate, then as long a silence)"


def under_bursts(point: Mapping[str, Any]) -> list[str]:
    """Return the line under the answer of one blocking point; none where there is nothing to be said."""
    share, found = float(point["burst_share"]), edges(point)
    if np.isnan(share) or not (found.held or found.failed):
        return []
    held, failed = (None if edge is None else share * edge for edge in (found.held, found.failed))
    at = f"{share:.0%} of that, {interval(Bracket(held, failed))}"
    return [f"Under {_MILD} the API would block at {at}; that is simulated, not measured."]


def note_on_bursts(points: pd.DataFrame) -> str:
    """Return the line under a table of answers; empty where there is nothing to be said."""
    told = _shares(points)
    return told and f"simulated, not measured: {told} of the rates above"


def sentence_on_bursts(points: pd.DataFrame) -> str:
    """Return the same as a sentence that needs no table; empty where there is nothing to be said."""
    told = _shares(points)
    return told and f"Simulated, not measured: {told} of the rates at which they block here."


def _shares(points: pd.DataFrame) -> str:
    if not len(points):
        return ""
    blocking = points[(points["question"] == BLOCKING) & (points["trials"] > 0)]
    shares = blocking["burst_share"].astype(float).dropna()
    if shares.empty:
        return ""
    low, high = (f"{each:.0%}" for each in (shares.min(), shares.max()))
    at = low if low == high else f"{low} to {high}"
    return f"under {_MILD} the APIs whose requests wait with the tasks would block at {at}"
