"""How often the intervals of a search hold the long-run truth, by kind of target and by profile.

    python -m benchmarks coverage [--searches 100] [--profile quick] [--row "40 x 100 ms"] [--workers 1]

The project's own verdicts, early stop, policy, brackets and marks are driven by a simulator that shares no
code with them. Columns, for saturation and for blocking: the truth in the long run and its standard error;
`held`, the share of intervals that hold it, of all and of those without a mark; `high`, the held edge lies
above it; `low`, the failed edge lies below it; `~`, marked so or by `*`. Returns 1 where the goals are
missed.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from itertools import repeat

from benchmarks.coverage.goals import missed
from benchmarks.coverage.rows import PROFILES, ROWS, Row
from benchmarks.coverage.search import Answer, search
from benchmarks.coverage.tally import Outcome, Tally, tallies
from benchmarks.coverage.truth import Rate, Truth, long_run

SEEDS_APART = 1000
"""between the seeds of two searches, whose trials count on from theirs"""


def main() -> int:
    given = _arguments()
    rows = [row for row in ROWS if not given.row or row.name in given.row]
    began = time.perf_counter()
    print(_HEAD, flush=True)
    with ProcessPoolExecutor(given.workers) as workers:
        outcomes = list(_outcomes(workers, rows, given.profile or list(PROFILES), given.searches))
    failures = list(missed(outcomes))
    print("\n".join(["", *(f"missed: {each}" for each in failures)]))
    words = "NO" if failures else "yes"
    print(
        f"{given.searches} searches a row in {time.perf_counter() - began:.0f} s; all goals reached: {words}"
    )
    return int(bool(failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=100, help="of each row by each profile")
    parser.add_argument("--profile", action="append", choices=PROFILES, help="all without it")
    parser.add_argument("--row", action="append", choices=[row.name for row in ROWS], help="all without it")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    return parser.parse_args()


def _outcomes(
    workers: Executor, rows: Sequence[Row], profiles: Sequence[str], searches: int
) -> Iterator[Outcome]:
    truths = list(workers.map(long_run, [row.target for row in rows]))
    for profile in profiles:
        for row, truth in zip(rows, truths, strict=True):
            seeds = [SEEDS_APART * (number + 1) for number in range(searches)]
            made = partial(_search, row, profile)
            outcome = _outcome(row, profile, truth, list(workers.map(made, seeds, chunksize=10)))
            print(_line(outcome), flush=True)
            yield outcome


def _search(row: Row, profile: str, seed: int) -> Answer:
    return search(row.target, PROFILES[profile], seed, row.hiccup_s, blind=row.blind)


def _outcome(row: Row, profile: str, truth: Truth, answers: Sequence[Answer]) -> Outcome:
    saturation, blocking = tallies(answers, truth)
    return Outcome(
        row=row.name,
        profile=profile,
        fixed=row.fixed,
        steady=row.steady,
        trials=sum(each.trials for each in answers) / len(answers),
        seconds=sum(each.seconds for each in answers) / len(answers),
        saturation=saturation,
        blocking=blocking,
    )


_TALLY_HEAD = f"{'truth/s':>13} {'held':>5}{'no ~':>6}{'high':>6}{'low':>5}{'~':>5}{'width':>6}"
_HEAD = (
    f"{'':47}  {'saturation':^46}  {'blocking':^46}\n"
    f"{'profile':10}{'target':23}{'trials':>6}{'seconds':>8}" + "  ".join(repeat(_TALLY_HEAD, 2))
)


def _line(each: Outcome) -> str:
    start = f"{each.profile:10}{each.row:23}{each.trials:>6.1f}{each.seconds:>8.1f}"
    return start + "  ".join(map(_tally, (each.saturation, each.blocking)))


def _tally(tally: Tally) -> str:
    shares = (tally.covered, tally.unmarked.covered, tally.too_high, tally.too_low, tally.marked)
    held, unmarked, high, low, marked = (
        "-" if math.isnan(share) else f"{100 * share:.0f}" for share in shares
    )
    width = "-" if math.isinf(tally.width) else f"{tally.width:.2f}"
    return f"{_rate(tally.truth):>13} {held:>5}{unmarked:>6}{high:>6}{low:>5}{marked:>5}{width:>6}"


def _rate(truth: Rate) -> str:
    if truth.per_s == 0:
        return "at any"
    return "at none" if math.isinf(truth.per_s) else f"{truth.per_s:.4g}±{100 * truth.error:.1f}%"


if __name__ == "__main__":
    sys.exit(main())
