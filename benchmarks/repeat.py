"""Whether a search repeated with another seed finds the same points.

    python -m benchmarks.repeat CAMPAIGN CAMPAIGN

Prints both intervals of every point that both campaigns searched, and whether they overlap; an open end
reaches as far as it may. To reach: 95 % of the points overlap.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.trials.derive import read_derived
from benchmarks.processes import parser
from results.store import campaign_folder

TO_REACH = 0.95
KEYS = ["strategy", "variant", "kind", "duration_ms", "topology", "question"]


def main() -> int:
    options = parser(__doc__)
    options.add_argument("campaigns", nargs=2)
    first, second = (points(campaign_folder(name)) for name in options.parse_args().campaigns)
    both = first.merge(second, on=KEYS, suffixes=("_a", "_b"))
    found = both[(both["trials_a"] > 0) & (both["trials_b"] > 0)]
    overlapping = np.array([overlaps(row) for _, row in found.iterrows()])
    print(f"{'point':46} {'question':>10} {'first':>18} {'second':>18} overlap")
    for (_, row), same in zip(found.iterrows(), overlapping, strict=True):
        name = f"{row['strategy']}/{row['variant']} {row['kind']} {row['duration_ms']:g} ms"
        print(
            f"{name:46} {row['question']:>10} {interval(row, '_a'):>18} {interval(row, '_b'):>18} "
            f"{'yes' if same else 'NO'}"
        )
    share = float(overlapping.mean()) if len(found) else 0.0
    reached = share >= TO_REACH
    print(f"{share:.1%} of {len(found)} overlap; to reach: {TO_REACH:.0%}: {'yes' if reached else 'NO'}")
    return 0 if reached else 1


def points(folder: Path) -> pd.DataFrame:
    return read_derived(folder).points


def edges(row: "pd.Series[float]", which: str) -> tuple[float, float]:
    low, high = row[f"held_per_s{which}"], row[f"failed_per_s{which}"]
    return 0.0 if np.isnan(low) else low, np.inf if np.isnan(high) else high


def overlaps(row: "pd.Series[float]") -> bool:
    (low_a, high_a), (low_b, high_b) = edges(row, "_a"), edges(row, "_b")
    return bool(max(low_a, low_b) <= min(high_a, high_b))


def interval(row: "pd.Series[float]", which: str) -> str:
    low, high = edges(row, which)
    mark = "~" if row[f"shaky{which}"] else ""
    if high == np.inf:
        return f"{mark}> {low:.4g}"
    return f"{mark}{low:.4g} to {high:.4g}" if low else f"{mark}< {high:.4g}"


if __name__ == "__main__":
    sys.exit(main())
