"""Whether the conditions of the web process matter: each against the usual ones, in pairs.

    python -m benchmarks.conditions [--runs FOLDER] [--condition NAME ...] [--only-table]

Two strategies with tasks of 200 ms, far below and beyond what AnyIO's 40 tokens allow (200/s). Each condition
is a campaign of its own that stays in the folder, so that a long run can be made in parts (under three
minutes each), and all meet the same schedules: a pair is the same repeat under both, both valid. A figure is
bold where its whole 95 % interval over the pairs is beyond a factor of 1.1. The usual conditions are measured
once more at the end: what differs there is noise.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis.format import milliseconds, number
from analysis.trials.agreement import Comparison, Figures, compare, figures
from analysis.trials.load import read_trial
from benchmarks.processes import ROOT, machine, parser, table
from results.percentile import percentile
from results.schema import Trial
from results.store import Campaign, open_campaign

CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "usual": (),
    "workers-2": ("--workers", "2"),
    "middleware": ("--middleware",),
    "anyio-100": ("--anyio-tokens", "100"),
    "anyio-200": ("--anyio-tokens", "200"),
    "asyncio-h11": ("--loop", "asyncio", "--http", "h11"),
    "usual-again": (),
}
"""the options of `blockpoint run` that each adds"""
SUBJECTS: Final = ("background_tasks/default", "celery/tuned")
LIGHT_PER_S, HEAVY_PER_S = 100, 240
LOAD: Final = ("--duration", "200ms", "--rate", str(LIGHT_PER_S), "--rate", str(HEAVY_PER_S))
PAIRS: Final = 3
SECONDS: Final = 4
USUAL: Final = "usual"


@dataclass(frozen=True)
class Told:
    """A column of the table: one metric of one rate."""

    title: str
    rate_per_s: float
    metric: str
    column: str
    percent: int
    unit: str = " ms"


COLUMNS: Final = (
    Told("accept p50 at 100/s", LIGHT_PER_S, "accept p50", "accept", 50),
    Told("/ping p99 at 240/s", HEAVY_PER_S, "/ping p99", "ping", 99),
    Told("/ping-sync p99 at 240/s", HEAVY_PER_S, "/ping-sync p99", "ping_sync", 99),
    Told("finished at 240/s", HEAVY_PER_S, "throughput", "throughput", 50, "/s"),
)


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--runs", type=Path, default=ROOT / "results" / "runs" / "conditions")
    options.add_argument("--condition", action="append", choices=list(CONDITIONS), default=[])
    options.add_argument("--only-table", action="store_true", help="measure nothing, read what is there")
    given = options.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    if not given.only_table:
        for name in given.condition or CONDITIONS:
            measure(given.runs, name)
    rows = [row for name in CONDITIONS if name != USUAL for row in rows_of(given.runs, name)]
    print(table(["condition", "strategy", *(each.title for each in COLUMNS), "busiest process"], rows))
    return 0


def measure(runs: Path, name: str) -> None:
    """Measure under one condition; raises CalledProcessError where that ends by an error."""
    asked = [part for subject in SUBJECTS for part in ("--strategy", subject)]
    about = [*LOAD, "--seconds", str(SECONDS), "--repeats", str(PAIRS), "--no-report", "--name", name]
    ended = subprocess.run(
        [sys.executable, "-m", "harness", "run", *asked, *about, *CONDITIONS[name]],
        env={**os.environ, "BLOCKPOINT_RUNS": str(runs)},
        cwd=ROOT,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if ended.returncode > 1:
        ended.check_returncode()


def rows_of(runs: Path, name: str) -> Iterator[list[str]]:
    """Yield a row a strategy, of what was measured: each figure as usual and under this condition."""
    if not all((runs / each).is_dir() for each in (USUAL, name)):
        return
    usual, other = (open_campaign(runs / each) for each in (USUAL, name))
    before, after = measured(usual), measured(other)
    for subject in SUBJECTS:
        told = [cell(each, subject, before, after) for each in COLUMNS]
        yield [" ".join(CONDITIONS[name]) or "the same again", subject, *told, busiest(subject, other)]


Found = dict[tuple[str, float, int], Figures]
"""by subject, rate and repeat"""


def measured(campaign: Campaign) -> Found:
    """Return what is compared of each valid trial."""
    return {
        (trial.plan.subject, trial.plan.rate_per_s, trial.plan.repeat): figures(read_trial(campaign, trial))
        for trial in campaign.trials()
        if trial.valid
    }


def cell(told: Told, subject: str, before: Found, after: Found) -> str:
    """Return one figure of both, in bold where it differs."""
    keys = [key for key in before if key in after and key[:2] == (subject, told.rate_per_s)]
    if not keys:
        return "-"
    pairs = [(after[key], before[key]) for key in keys]
    compared = next(each for each in compare(pairs) if each.metric == told.metric)
    first, second = (shown(told, [found[key] for key in keys]) for found in (before, after))
    return verdict(f"{first} to {second}", compared, len(pairs))


def shown(told: Told, runs: Sequence[Figures]) -> str:
    """Return the middle of the runs' percentiles."""
    middle = percentile([percentile(run[told.column], told.percent) for run in runs], 50)
    return milliseconds(middle) if told.unit == " ms" else f"{number(middle)}{told.unit}"


def verdict(text: str, compared: Comparison, pairs: int) -> str:
    """Return the figures with what can be said of their difference."""
    if pairs < PAIRS:
        return f"{text} ({pairs} pair{'s' * (pairs != 1)})"
    return f"**{text}**" if compared.differs else text


def busiest(subject: str, campaign: Campaign) -> str:
    """Return the largest share of the tasks that one of several web processes accepted."""
    shares = [share(trial) for trial in campaign.trials() if trial.valid and trial.plan.subject == subject]
    return f"{min(shares):.0%} to {max(shares):.0%}" if shares and campaign.manifest.web_processes > 1 else ""


def share(trial: Trial) -> float:
    return trial.spread[0] / max(sum(trial.spread), 1)


if __name__ == "__main__":
    sys.exit(main())
