"""Whether a search repeated with other seeds finds the same points.

    python -m benchmarks.repeat CAMPAIGN CAMPAIGN [CAMPAIGN ...]

Prints the intervals of every point that all campaigns searched, the one that holds them all, which is the
answer of all runs together, and whether every two of them overlap; an open end reaches as far as it may. To
reach: 95 % of the points overlap.
"""

import sys

from analysis.trials.derive import read_derived
from analysis.trials.point_table import interval
from analysis.trials.repeats import Repeated, repeated, unlike
from benchmarks.processes import parser
from results.store import campaign_folder

TO_REACH = 0.95


def main() -> int:
    options = parser(__doc__)
    options.add_argument("first")
    options.add_argument("others", nargs="+")
    given = options.parse_args()
    names = [given.first, *given.others]
    runs_of = [read_derived(campaign_folder(name)) for name in names]
    if differing := unlike([each.manifest for each in runs_of]):
        print(f"not of one kind: they differ in {', '.join(differing)}", file=sys.stderr)
        return 2
    found = list(repeated([each.points for each in runs_of]))
    runs = "".join(f" {f'run {number}':>16}" for number in range(1, len(names) + 1))
    print(f"{'point':46} {'question':>10}{runs} {'together':>16} overlap")
    for point in found:
        print(line(point))
    share = sum(point.agree for point in found) / len(found) if found else 0.0
    reached = share >= TO_REACH
    print(f"{share:.1%} of {len(found)} overlap; to reach: {TO_REACH:.0%}: {'yes' if reached else 'NO'}")
    return 0 if reached else 1


def line(point: Repeated) -> str:
    about = point.about
    name = f"{about['strategy']}/{about['variant']} {about['kind']} {about['duration_ms']:g} ms"
    runs = "".join(
        f" {interval(run, shaky=shaky):>16}" for run, shaky in zip(point.runs, point.shaky, strict=True)
    )
    together = interval(point.together, shaky=any(point.shaky))
    return f"{name:46} {about['question']:>10}{runs} {together:>16} {'yes' if point.agree else 'NO'}"


if __name__ == "__main__":
    sys.exit(main())
