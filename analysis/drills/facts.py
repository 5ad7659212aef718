"""What published drills found, small enough to stand on the page of any campaign.

Made again, after drills were published anew, with `python -m analysis.drills.facts` and, from the one that is
believed first, `results/published/drills{-celery,,-saq,-rq-durable,-queues,-in-process}`.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

from analysis.drills.derive import derive_drills
from analysis.drills.matrix import records
from results.errors import BlockpointError

SHIPPED: Final = Path(__file__).with_name("facts.csv")
DRILLS: Final = ("kill-web", "kill-worker", "kill-broker", "kill-broker-aof")
"""what a page is asked about when something dies"""
_KEY: Final = ["drill", "subject"]


@dataclass(frozen=True)
class Fact:
    """One drill with one subject: sums over its repeats, as in `matrix.matrix`."""

    campaign: str
    """where it was published, under `results/published/`"""
    drill: str
    subject: str
    repeats: int
    accepted: int
    lost: int
    hidden_at_rest: int
    held: int
    """of those: still with the broker when the drill ended"""
    twice: int
    in_flight: int
    """under way when the fault began"""
    lost_in_flight: int
    hidden_until_s: float
    """NaN where nothing was hidden"""
    window_s: float
    """for how long its broker hides at most: here, and by default"""
    default_window_s: float
    workers: int
    """processes of its own beside the web process, 0 for what runs in that"""


_COLUMNS: Final = [field.name for field in fields(Fact)]


def facts_of(matrices: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row a fact, by campaign's name; what an earlier campaign tells, no later one tells again."""
    told = [table.assign(campaign=name) for name, table in matrices.items()]
    every = pd.concat(told, ignore_index=True)
    kept = every[every["drill"].isin(DRILLS) & (every["repeats"] > 0)].drop_duplicates(_KEY)
    counts = {field.name: int for field in fields(Fact) if field.type is int}
    return kept[_COLUMNS].astype(counts).sort_values(_KEY, ignore_index=True)


@cache
def shipped_facts() -> Mapping[tuple[str, str], Fact]:
    """Return the facts that come with this package, by subject and drill."""
    rows = records(pd.read_csv(SHIPPED))
    return {(row["subject"], row["drill"]): Fact(**row) for row in rows}


def remake(folders: Sequence[str]) -> int:
    """Make the facts of the campaigns in these folders anew; returns the exit code."""
    if not folders:
        print("usage: python -m analysis.drills.facts FOLDER...", file=sys.stderr)
        return 2
    try:
        made = facts_of({Path(folder).name: derive_drills(Path(folder)).matrix for folder in folders})
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    made.to_csv(SHIPPED, index=False)
    print(f"{len(made)} facts in {SHIPPED}")
    return 0


if __name__ == "__main__":
    sys.exit(remake(sys.argv[1:]))
