"""A subject's curve over the rates: what was measured, what is only a lower bound, and where it has gaps."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

JOINED: Final = 2.2
"""neighbouring rates further apart than this factor are not joined: nobody measured between them"""


def worst_p99(rows: pd.DataFrame, streams: Sequence[str], side: str = "") -> pd.DataFrame:
    """Return `offered_per_s`, `valid`, `value` and `at_least` of rows of the summary.

    `value` is the greatest p99 in ms of these streams (columns without their unit); `at_least` says that it
    may be higher, since requests of one of them were never answered. `side` begins the columns' names of
    predictions, which have no such bound.
    """
    found = rows[["offered_per_s", "valid"]].copy()
    found["value"] = rows[[f"{side}{name}_p99_ms" for name in streams]].max(axis=1)
    flags = [f"{name}_p99_at_least" for name in streams if not side]
    found["at_least"] = rows[flags].astype(bool).any(axis=1)
    return found.dropna(subset=["value"])


def over_rates(found: pd.DataFrame) -> pd.DataFrame:
    """Return `offered_per_s`, `value` and `at_least` of valid rows; of repeats the median."""
    valid = found[found["valid"].astype(bool)]
    return valid.groupby("offered_per_s").agg({"value": "median", "at_least": "any"}).reset_index()


def runs(x: Floats, y: Floats) -> list[tuple[Floats, Floats]]:
    """Return the pieces of a line, rising in x, between whose points somebody measured closely enough."""
    pieces = zip(np.split(x, _gaps(x)), np.split(y, _gaps(x)), strict=True)
    return [piece for piece in pieces if len(piece[0])]


def with_gaps(points: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return points, rising in x, with a row of NaN between those that are not to be joined."""
    gaps = _gaps(points[x].to_numpy(float))
    places = np.insert(np.arange(len(points), dtype=float), gaps, np.nan)
    return points.reset_index(drop=True).reindex(places).reset_index(drop=True)


def _gaps(x: Floats) -> npt.NDArray[np.intp]:
    return np.flatnonzero(x[1:] > JOINED * x[:-1]) + 1


def has_curve(rows: pd.DataFrame) -> bool:
    """Say whether a subject among valid rows of the summary was measured at more than one rate."""
    valid = rows[rows["valid"].astype(bool)]
    return bool((valid.groupby(["strategy", "variant"])["offered_per_s"].nunique() > 1).any())
