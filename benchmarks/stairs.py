"""Whether a step of rising stairs tells the same as a trial of its own, each against the long-run truth.

    python -m benchmarks stairs [--trials 100] [--row "40 x 100 ms"]

The simulated targets of `benchmarks.coverage` meet the common rates of a curve, and some near its two points,
twice: as steps of one run, and each in a trial of its own on an idle target. A line a rate: its share of the
saturation; the share of requests of the worst stream that are slow in the long run, in %; how many trials,
in %, say `blocked` and `behind`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION
from benchmarks.coverage.rows import PROFILES, ROWS, Row
from benchmarks.coverage.search import manifest_of
from benchmarks.coverage.trial import simulate
from benchmarks.coverage.truth import HIGHEST_PER_S, long_run, slow_share
from harness.search.confirm import Step
from harness.search.curve import curve
from harness.search.trials import planned

NEAR: Final = (0.9, 0.95, 1.05)
"""shares of both points that are met besides the common rates"""
PROFILE: Final = PROFILES["quick"]
_HEAD: Final = f"{'target':23}{'rate/s':>7}{'of sat.':>8}{'slow %':>8}{'blocked: alone':>16}{'stairs':>8}"
Rows = Sequence[Sequence[dict[str, Any]]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100, help="of each kind at each rate")
    parser.add_argument("--row", action="append", choices=[row.name for row in ROWS], help="all without it")
    given = parser.parse_args()
    print(f"{_HEAD}{'behind: alone':>15}{'stairs':>8}", flush=True)
    for row in ROWS:
        if not given.row or row.name in given.row:
            print("\n".join(_lines(row, given.trials)), flush=True)
    return 0


def _lines(row: Row, trials: int) -> Iterator[str]:
    truth = long_run(row.target)
    saturation = min(truth.saturation.per_s, HIGHEST_PER_S)
    points = [point for point in (truth.blocking.per_s, saturation) if 0 < point < HIGHEST_PER_S]
    edges = (float(f"{share * point:.4g}") for share in NEAR for point in points)
    rates = sorted({*curve(1.0, min(1.5 * saturation, HIGHEST_PER_S), saturation), *edges})
    together = [_rows(row, rates, seed) for seed in range(trials)]
    alone = [[_rows(row, [rate], seed + trials)[0] for rate in rates] for seed in range(trials)]
    for number, rate in enumerate(rates):
        slow = 100 * slow_share(row.target, rate, seed=1)
        told = [
            _share(rows, number, question)
            for question in (BLOCKING, SATURATION)
            for rows in (alone, together)
        ]
        yield (
            f"{row.name:23}{rate:>7g}{rate / saturation:>8.2f}{slow:>8.2f}"
            f"{told[0]:>16.0f}{told[1]:>8.0f}{told[2]:>15.0f}{told[3]:>8.0f}"
        )


def _rows(row: Row, rates_per_s: Sequence[float], seed: int) -> list[dict[str, Any]]:
    manifest = manifest_of(row.target, PROFILE, seed)
    stairs = tuple(rates_per_s) if len(rates_per_s) > 1 else ()
    plan = planned(manifest.points[0], Step(rates_per_s[-1], stairs=stairs), seed)
    return simulate(row.target, plan, rates_per_s, manifest, PROFILE.drain_s)


def _share(rows: Rows, number: int, question: str) -> float:
    """Return how many of the trials say that it gave way at the rate of that number, in %."""
    return 100 * sum(bool(each[number][QUESTIONS[question].column]) for each in rows) / len(rows)


if __name__ == "__main__":
    sys.exit(main())
