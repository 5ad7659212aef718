"""How often `compare` finds what is not there, and misses what is.

    python -m benchmarks comparisons [--comparisons 20] [--first 1] [--profile quick]

Two sides each consist of a search and of three trials at each of two rates, of a simulated service that
shares no code with the claim (`benchmarks.coverage`): with itself, with a repeat under other seeds, with a
service whose tasks take 20 % longer, and with one whose pool has 20 % fewer slots. Printed is how many of
the comparisons called something worse, called something better, and by which metrics.

To reach: nothing in any comparison with itself or a repeat, and `worse` in 19 of 20 with longer tasks.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analysis.compare.comparison import Compared, SideBySide
from analysis.compare.ratios import Figures, Ratio, of_brackets, of_pairs
from analysis.trials.brackets import Bracket
from analysis.trials.questions import BLOCKING, SATURATION
from benchmarks.coverage.rows import PROFILES
from benchmarks.coverage.search import Answer, Interval, search
from benchmarks.coverage.target import Target, run
from benchmarks.processes import parser

BASE: Final = Target(slots=40, mean_s=0.1)
SLOWER: Final = replace(BASE, mean_s=0.12)
SMALLER: Final = replace(BASE, slots=32)
RATES_PER_S: Final = (200.0, 360.0)
"""half and nine tenths of what the base carries"""
TRIALS: Final = 3
SECONDS: Final = 8.0
WARM_UP_S: Final = 2.0
BYSTANDERS_PER_S: Final = 100.0
SEEDS_APART: Final = 1000
FOUND: Final = 0.95


@dataclass(frozen=True)
class Made:
    """One side as a campaign would have it."""

    answer: Answer
    runs: list[list[Figures]]
    """by rate"""


def main() -> int:
    given = _arguments()
    began = time.perf_counter()
    print(f"{'the second side is':32}{'worse':>6}{'better':>7}  by")
    wrong, found = 0, 1.0
    cases = {
        "the first itself": (BASE, 0),
        "a repeat under other seeds": (BASE, 500),
        "tasks that take 20 % longer": (SLOWER, 0),
        "tasks longer, other seeds": (SLOWER, 500),
        "a pool with 20 % fewer slots": (SMALLER, 0),
    }
    numbers = range(given.first, given.first + given.comparisons)
    firsts = [make(BASE, SEEDS_APART * number, given.profile) for number in numbers]
    for name, (target, apart) in cases.items():
        comparisons = [
            compared(first, make(target, SEEDS_APART * number + apart, given.profile))
            for number, first in zip(numbers, firsts, strict=True)
        ]
        worse = [[ratio for _, ratio in each.ratios if ratio.worse] for each in comparisons]
        better = [[ratio for _, ratio in each.ratios if ratio.better] for each in comparisons]
        counted = Counter(metric for each in worse for metric in {ratio.metric for ratio in each})
        by = ", ".join(f"{metric} {count}" for metric, count in counted.most_common())
        print(f"{name:32}{_many(worse):>6}{_many(better):>7}  {by}", flush=True)
        if target is BASE:
            wrong += _many(worse) + _many(better)
        elif target is SLOWER:
            found = min(found, _many(worse) / len(comparisons))
    reached = not wrong and found >= FOUND
    print(
        f"{given.comparisons} comparisons a row in {time.perf_counter() - began:.0f} s; nothing found where "
        f"nothing is, and {FOUND:.0%} of the longer tasks: {'yes' if reached else 'NO'}"
    )
    return 0 if reached else 1


def _arguments() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("--comparisons", type=int, default=20, help="of each row")
    options.add_argument("--first", type=int, default=1, help="number of the first: its seeds follow from it")
    options.add_argument("--profile", default="quick", choices=PROFILES, help="of the searches")
    return options.parse_args()


def make(target: Target, seed: int, profile: str) -> Made:
    """Return what a search and a few trials find of a target."""
    answer = search(target, PROFILES[profile], seed)
    runs = [[figures(target, rate, seed + trial) for trial in range(TRIALS)] for rate in RATES_PER_S]
    return Made(answer, runs)


def figures(target: Target, rate_per_s: float, seed: int) -> Figures:
    """Return the latencies of one trial in ms, by the names that a comparison reads."""
    seen = run(target, [rate_per_s], BYSTANDERS_PER_S, SECONDS, seed=seed, warm_up_s=WARM_UP_S)
    streams = dict(zip(("accept", "ping", "ping_sync"), seen.latencies(), strict=True))
    measured = {name: 1000 * waited[due >= WARM_UP_S] for name, (due, waited) in streams.items()}
    ended = (seen.ended_s >= WARM_UP_S) & (seen.ended_s < SECONDS)
    completion = 1000 * (seen.ended_s - seen.due_s)[seen.due_s >= WARM_UP_S]
    per_s = float(ended.sum()) / (SECONDS - WARM_UP_S)
    return {**measured, "completion": completion, "throughput": np.array([per_s])}


def compared(first: Made, second: Made) -> SideBySide:
    """Compare two sides by the project's own code."""
    about = (("simulated", "simulated"), ("sleep", 100.0, "one-box"))
    points = [
        _edges(BLOCKING, first.answer.blocking, second.answer.blocking),
        _edges(SATURATION, first.answer.saturation, second.answer.saturation),
    ]
    loads = [
        Compared(*about, rate, len(own), list(of_pairs(list(zip(own, other, strict=True)))))
        for rate, own, other in zip(RATES_PER_S, first.runs, second.runs, strict=True)
    ]
    return SideBySide("first", "second", [], [], [Compared(*about, None, 0, points), *loads])


def _edges(metric: str, first: Interval, second: Interval) -> Ratio:
    shaky = first.marked or second.marked
    return of_brackets(metric, _bracket(first), _bracket(second), shaky=shaky)


def _bracket(found: Interval) -> Bracket:
    return Bracket(found.held or None, None if np.isinf(found.failed) else found.failed)


def _many(found: Sequence[list[Ratio]]) -> int:
    return sum(bool(each) for each in found)


if __name__ == "__main__":
    sys.exit(main())
