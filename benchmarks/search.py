"""What a search costs against the plain grid that would give intervals as narrow.

    python -m benchmarks.search [CAMPAIGN ...]

First on simulated targets whose two points are known (a hundred of them, verdicts that err by 1 % of the
rate), then for every point of the campaigns named, as they were measured. The grid has the rates between
the lowest and the highest of the search, each `precision` times the one before, in trials of the same
length. To reach: at least 5 times less load.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.trials.brackets import Verdict, bracket
from analysis.trials.questions import BLOCKING, SATURATION
from benchmarks.processes import parser
from harness.search.policy import Goal, Observation, next_rate, verdicts
from harness.search.profiles import search_seconds
from results.schema import Point
from results.store import Campaign, campaign_folder, open_campaign

TO_REACH = 5.0
TARGETS = 100
ERROR = 0.01
LOWEST, HIGHEST, SECONDS = 1.0, 2_000.0, 5.0


def main() -> int:
    options = parser(__doc__)
    options.add_argument("campaigns", nargs="*", help="campaigns of `blockpoint find`")
    arguments = options.parse_args()
    reached = simulated()
    for name in arguments.campaigns:
        reached &= measured(open_campaign(campaign_folder(name)))
    return 0 if reached else 1


def simulated() -> bool:
    print(f"simulated: {TARGETS} targets, trials of {SECONDS:g} s, {LOWEST:g} to {HIGHEST:g}/s")
    print(
        f"{'precision':>9} {'prediction':>16} {'trials':>7} {'most':>5} {'grid':>5} {'less':>6} {'found':>6}"
    )
    reached = True
    for precision in (1.05, 1.1, 1.25):
        grid = math.ceil(math.log(HIGHEST / LOWEST) / math.log(precision)) + 1
        for words, error in (("within 2 %", 0.02), ("within a third", 0.33), ("none", None)):
            runs = [search(seed, precision, error) for seed in range(TARGETS)]
            trials = float(np.mean([made for made, _ in runs]))
            reached &= grid / trials >= TO_REACH
            print(
                f"{precision:>9} {words:>16} {trials:>7.1f} {max(made for made, _ in runs):>5} {grid:>5} "
                f"{grid / trials:>5.1f}x {np.mean([found for _, found in runs]):>6.0%}"
            )
    print(f"to reach: {TO_REACH:g} times less: {'yes' if reached else 'NO'}\n")
    return reached


def search(seed: int, precision: float, off_by: float | None) -> tuple[int, bool]:
    """Search one target; returns the number of trials, and whether both intervals hold the truth."""
    random = np.random.default_rng(seed)
    saturation = 10 ** random.uniform(0.7, 3)
    blocking = saturation * random.uniform(0.8, 1.0)
    truths = {SATURATION: saturation, BLOCKING: blocking}
    goal = Goal(precision, LOWEST, HIGHEST, dict.fromkeys(truths))
    if off_by:
        factor = random.uniform(1 - off_by, 1 + off_by)
        goal = replace(goal, expected_per_s={name: factor * truth for name, truth in truths.items()})
    seen: list[Observation] = []
    while len(seen) < 30 and (rate := next_rate(goal, seen)) is not None:
        seen.append(trial(rate, saturation, blocking, random))
    brackets = [(bracket(verdicts(seen, name)), truth) for name, truth in truths.items()]
    return len(seen), all((b.held or 0) <= truth <= (b.failed or math.inf) for b, truth in brackets)


def trial(rate: float, saturation: float, blocking: float, random: np.random.Generator) -> Observation:
    errors = random.normal(0, ERROR, 2)
    answers = {
        name: Verdict(rate, bool(rate * math.exp(error) > at), abs(math.log(rate / at)) > 2 * ERROR)
        for name, at, error in zip((BLOCKING, SATURATION), (blocking, saturation), errors, strict=True)
    }
    return Observation(rate, answers, completions_per_s=min(rate, saturation))


def measured(campaign: Campaign) -> bool:
    manifest = campaign.manifest
    print(f"{manifest.campaign}: precision {manifest.precision:g}, limit {manifest.limit_ms:g} ms")
    print(f"{'point':44} {'trials':>6} {'load s':>7} {'grid':>5} {'grid s':>7} {'less':>6}")
    load_s = grid_s = 0.0
    trials = campaign.trials()
    for point in manifest.points:
        own = [trial for trial in trials if trial.valid and point.covers(trial.plan)]
        spent = sum((t.load.steps[-1].to_ns - t.load.steps[0].from_ns) / 1e9 for t in own)
        lengths = list(grid(point, manifest.precision))
        name = f"{point.subject} {point.kind} {point.duration_ms:g} ms"
        if own:
            less = sum(lengths) / spent
            print(
                f"{name:44} {len(own):>6} {spent:>7.1f} {len(lengths):>5} {sum(lengths):>7.1f} {less:>5.1f}x"
            )
        load_s, grid_s = load_s + spent, grid_s + sum(lengths)
    reached = grid_s >= TO_REACH * load_s
    print(f"in all {load_s:.0f} s of load against {grid_s:.0f} s: {grid_s / load_s:.1f} times less\n")
    return reached


def grid(point: Point, precision: float) -> Iterator[float]:
    """Yield the length in s of each trial of the plain grid."""
    rate = point.lowest_per_s
    while rate < point.highest_per_s * precision:
        yield search_seconds(point, rate)
        rate *= precision


if __name__ == "__main__":
    sys.exit(main())
