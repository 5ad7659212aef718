"""What several runs of one search say together: an interval that holds all of theirs, and if they agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.trials.brackets import Bracket
from analysis.trials.points import CONDITION, edges
from results.schema import Manifest

POINT: Final = ("strategy", "variant", *CONDITION, "question")
"""the columns by which one point is known in every run"""


@dataclass(frozen=True)
class Repeated:
    """One point, as several runs of its search found it."""

    about: Mapping[str, Any]
    """by the names in `POINT`"""
    runs: tuple[Bracket, ...]
    shaky: tuple[bool, ...]
    """whether a run marked its own interval"""

    @property
    def agree(self) -> bool:
        """Whether every two of the intervals overlap; an open end reaches as far as it may."""
        return max(map(_low, self.runs)) <= min(map(_high, self.runs))

    @property
    def together(self) -> Bracket:
        """The interval from the lowest held rate to the highest failed one: what differs from run to run.

        It is open at an end at which any of them is, and disputed where the runs do not agree.
        """
        low, high = min(map(_low, self.runs)), max(map(_high, self.runs))
        disputed = not self.agree or any(run.disputed for run in self.runs)
        return Bracket(low or None, high if np.isfinite(high) else None, disputed=disputed)


def unlike(manifests: Sequence[Manifest]) -> list[str]:
    """Return the conditions in which campaigns differ that shall be repeats of each other."""
    first, *others = [each.served for each in manifests]
    return [name for name in first if any(other[name] != first[name] for other in others)]


def repeated(tables: Sequence[pd.DataFrame]) -> Iterator[Repeated]:
    """Yield every point that each of these tables of points has measured, in the first one's order."""
    rows = [
        {tuple(row[name] for name in POINT): row for row in table[table["trials"] > 0].to_dict("records")}
        for table in tables
    ]
    first, *others = rows
    for key in first:
        if all(key in other for other in others):
            own = [run[key] for run in rows]
            about = dict(zip(POINT, key, strict=True))
            yield Repeated(about, tuple(map(edges, own)), tuple(bool(row["shaky"]) for row in own))


def _low(run: Bracket) -> float:
    return run.held or 0.0


def _high(run: Bracket) -> float:
    return run.failed or np.inf
