"""Whether load of many minutes says of the edges of searches what the searches said.

    python -m benchmarks.at_length SEARCH [SEARCH ...] --long RUN [RUN ...]

Each search is a campaign of `blockpoint find`, each RUN one of `blockpoint run` with long trials of the same
subject and task. Slowness grows with the rate: a search is right where a long trial at its held edge or above
is fast, one at its failed edge or below is slow, and none says otherwise. Returns 1 where one is not.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.format import number, percent
from analysis.trials.brackets import Bracket
from analysis.trials.derive import read_derived
from analysis.trials.point_table import interval
from analysis.trials.questions import BLOCKING
from analysis.trials.slowness import Slowness, judge
from analysis.trials.slowness_by_rate import seen_in
from benchmarks.processes import parser
from results.store import campaign_folder

EDGES: Final = ("held", "failed")
SAME: Final = 1.002
"""factor within which a rate is the edge's: edges are printed with three digits"""


@dataclass(frozen=True)
class Long:
    """What one long trial showed of its slowest stream."""

    rate_per_s: float
    seconds: float
    stream: str
    told: Slowness


def main() -> int:
    options = parser(__doc__)
    options.add_argument("searches", nargs="+", metavar="SEARCH")
    options.add_argument("--long", nargs="+", required=True, metavar="RUN")
    given = options.parse_args()
    long = sorted((each for name in given.long for each in _long(name)), key=lambda each: each.rate_per_s)
    for each in long:
        print(_in_words(each))
    verdicts = []
    for name in given.searches:
        found, words = _blocking(name)
        verdicts.append(verdict(found, long))
        print(f"{name:20} {words:>16}  {verdicts[-1]}")
    print(f"{verdicts.count('right')} of {len(verdicts)} searches are right")
    return int(set(verdicts) != {"right"})


def verdict(found: Bracket, long: Sequence[Long]) -> str:
    """Return `right`, `wrong` or `open`."""
    slow = [each.rate_per_s for each in long if each.told.blocked]
    fast = [each.rate_per_s for each in long if not each.told.blocked]
    held, failed = found.held or 0.0, found.failed or math.inf
    if any(rate <= held * SAME for rate in slow) or any(rate >= failed / SAME for rate in fast):
        return "wrong"
    decided = any(rate >= held / SAME for rate in fast) and any(rate <= failed * SAME for rate in slow)
    return "right" if decided else "open"


def _long(name: str) -> Iterator[Long]:
    derived = read_derived(campaign_folder(name))
    for row in derived.summary[derived.summary["valid"].astype(bool)].to_dict("records"):
        streams = seen_in(float(row["offered_per_s"]), row, derived.manifest.limit_ms).streams
        told = {stream: judge(spells) for stream, spells in streams.items()}
        slowest = max(told, key=lambda stream: told[stream].high)
        yield Long(float(row["offered_per_s"]), float(row["seconds"]), slowest, told[slowest])


def _in_words(each: Long) -> str:
    found = each.told
    answer = ("blocked" if found.blocked else "fast") + ("" if found.certain else ", not certain")
    bounds = f"{percent(found.low)} to {percent(found.high)}"
    slow = f"{percent(found.share)} of {each.stream} slow ({bounds}), in {found.spells} spells"
    return f"{number(each.rate_per_s)}/s for {number(each.seconds)} s: {answer}; {slow}"


def _blocking(name: str) -> tuple[Bracket, str]:
    points = read_derived(campaign_folder(name)).points
    (row,) = points[points["question"] == BLOCKING].to_dict("records")
    held, failed = (None if math.isnan(rate := float(row[f"{edge}_per_s"])) else rate for edge in EDGES)
    found = Bracket(held, failed)
    return found, interval(found, shaky=bool(row["shaky"]))


if __name__ == "__main__":
    sys.exit(main())
