"""Whether targets elsewhere measure like those here: one campaign on the loopback, and between two hosts.

    python -m benchmarks.namespaces [--runs FOLDER] [--campaign NAME ...] [--only-table]
                                    [--refused-too] [--netem HOW]

The hosts are network namespaces on a bridge: one has the load, the other `blockpoint agent` with the targets
and, by a time namespace, a clock that is 1,000 s ahead. Processes share the machine's cores just as they do
on the loopback, so that only the way and the clock differ. Campaigns take turns, about a minute each, and
stay in the folder: a long run can be made in parts. Both of a round meet the same schedules, and a pair is
the same trial on both, both valid. A cell is the geometric mean of the runs with its 95 % interval; the
ratio's is of the pairs. Joined are the tasks whose ledger has them received between `sent` and `replied`, as
far as the clocks are known. With `--netem` what the targets send is delayed or lost, and trials that the gate
refuses count, too: it has to refuse them for `clocks`.
"""

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from analysis.format import number
from analysis.trials.agreement import METRICS, Comparison, Figures, compare, figures
from analysis.trials.load import Frames, read_trial
from benchmarks.hosts import AbsentError, agent_process, network, require_hosts
from benchmarks.processes import ROOT, machine, parser, table
from harness.agent.token import VARIABLE
from results.findings import TargetHost
from results.schema import Trial
from results.store import open_campaign
from results.terms import NEVER, Outcome

LOOPBACK, AGENT = "loopback", "agent"
TURNS: Final = ((LOOPBACK, 1), (AGENT, 1), (AGENT, 2), (LOOPBACK, 2))
"""place and round, one after the other"""
NAMES: Final = {f"namespaces-{place}-{turn}": (place, turn) for place, turn in TURNS}
SUBJECTS: Final = ("background_tasks/default", "celery/tuned")
RATES_PER_S: Final = (50, 200)
LOAD: Final = ("--kind", "sleep", "--duration", "100ms", "--topology", "one-box", "--seconds", "4")
REPEATS: Final = 2
AHEAD_S: Final = 1_000
PORT: Final = 8700
ONES: Final = dict.fromkeys((column for column, _ in METRICS.values()), np.ones(1))
"""a run whose figures are 1: the ratio of another to it is that one's own figure"""


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--runs", type=Path, default=ROOT / "results" / "runs" / "namespaces")
    options.add_argument("--campaign", action="append", choices=list(NAMES), default=[])
    options.add_argument("--only-table", action="store_true", help="measure nothing, read what is there")
    options.add_argument("--refused-too", action="store_true", help="count what the gate refuses, too")
    options.add_argument("--netem", default="", metavar="HOW", help='such as "delay 10ms loss 1%%"')
    given = options.parse_args()
    print(machine(), flush=True)
    try:
        if not given.only_table:
            require(given.netem)
            for name in given.campaign or NAMES:
                measure(given.runs.resolve(), name, given.netem)
    except AbsentError as error:
        print(f"skipped: {error}")
        return 0
    print(compared(given.runs, refused_too=given.refused_too or bool(given.netem)))
    return 0


def require(netem: str) -> None:
    """Raise AbsentError where the hosts cannot be made, or not as they are to be."""
    require_hosts()
    if netem:
        with network(0) as (host,):
            host.impair(netem)


def measure(runs: Path, name: str, netem: str) -> None:
    """Measure one campaign; raises CalledProcessError where that ends by an error."""
    place, turn = NAMES[name]
    subjects = (part for subject in SUBJECTS for part in ("--strategy", subject))
    rates = (part for rate in RATES_PER_S for part in ("--rate", str(rate)))
    asked = ["run", *subjects, *rates, *LOAD, "--repeats", str(REPEATS), "--seed", str(turn * REPEATS)]
    asked += ["--attempts", "1", "--no-report", "--name", name]
    environ = {**os.environ, "BLOCKPOINT_RUNS": str(runs), VARIABLE: secrets.token_urlsafe(32)}
    with ExitStack() as held:
        command = [sys.executable, "-m", "harness", *asked]
        if place == AGENT:
            load, targets = held.enter_context(network(0, AHEAD_S))
            if netem:
                targets.impair(netem)
            serving = agent_process(f"{targets.address}:{PORT}", environ, targets.inside())
            _, url = held.enter_context(serving)
            command = load.blockpoint(*asked, "--agent", url)
        ended = subprocess.run(command, env=environ, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    if ended.returncode > 1:
        ended.check_returncode()


@dataclass(frozen=True)
class Run:
    """What is compared of one trial."""

    figures: Figures
    accepted: int
    joined: int
    host: TargetHost | None


Key = tuple[str, float, int, int]
"""subject, rate, round and repeat"""
Runs = Mapping[Key, Run]


def compared(runs: Path, *, refused_too: bool = False) -> str:
    """Return the table of the campaigns that are there, and below it what was not counted."""
    found: dict[str, dict[Key, Run]] = {LOOPBACK: {}, AGENT: {}}
    refused = []
    for name, (place, turn) in NAMES.items():
        if not (runs / name).is_dir():
            continue
        campaign = open_campaign(runs / name)
        trials = campaign.trials()
        for trial in trials:
            if trial.valid or refused_too:
                key = (trial.plan.subject, trial.plan.rate_per_s, turn, trial.plan.repeat)
                found[place][key] = run_of(read_trial(campaign, trial))
        refused += list(refusals(name, trials))
    shown = ("completed/s" if metric == "throughput" else f"{metric} ms" for metric in METRICS)
    head = ["strategy", "tasks/s", "where", *shown, "joined", "clock ahead", "intervals overlap"]
    rows = [
        row
        for subject in SUBJECTS
        for rate in RATES_PER_S
        for row in rows_of(subject, rate, found[LOOPBACK], found[AGENT])
    ]
    return "\n".join([table(head, rows), *refused])


def run_of(frames: Frames) -> Run:
    """Return what is compared of a trial, as its tables have it."""
    tasks, host = frames.tasks, frames.trial.target_host
    doubt_ns = host.uncertainty_ns if host else 0
    received, sent, replied = (tasks[f"{name}_ns"].to_numpy() for name in ("received", "sent", "replied"))
    accepted = tasks["outcome"].to_numpy() == Outcome.ACCEPTED
    between = (received != NEVER) & (received >= sent - doubt_ns) & (received <= replied + doubt_ns)
    return Run(figures(frames), int(accepted.sum()), int((accepted & between).sum()), host)


def refusals(name: str, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield in a line why trials of a campaign do not count, where some do not."""
    refused = [trial for trial in trials if not trial.valid]
    if refused:
        words = Counter(reason.partition(":")[0] for trial in refused for reason in trial.reasons)
        told = ", ".join(f"{word} ({count}x)" for word, count in sorted(words.items()))
        yield f"refused in {name}: {len(refused)} of {len(trials)} trials: {told}"


def rows_of(subject: str, rate: float, here: Runs, there: Runs) -> Iterator[list[str]]:
    """Yield what one strategy did at one rate: on the loopback, between hosts, and the ratio of the two."""
    keys = [key for key in here if key in there and key[:2] == (subject, rate)]
    if not keys:
        yield [subject, f"{rate:g}", "no valid pair", *[""] * (len(METRICS) + 3)]
        return
    pairs = [(there[key], here[key]) for key in keys]
    others, ours = (list(side) for side in zip(*pairs, strict=True))
    own, other = (compare([(run.figures, ONES) for run in side]) for side in (ours, others))
    ratios = compare([(one.figures, two.figures) for one, two in pairs])
    count = f"{len(pairs)} run{'s' * (len(pairs) > 1)}"
    yield [subject, f"{rate:g}", f"loopback, {count}", *map(cell, own), joined(ours), "", ""]
    yield ["", "", f"namespaces, {count}", *map(cell, other), joined(others), clock(others), ""]
    yield ["", "", "ratio", *map(cell, ratios), "", "", overlapping(own, other)]


def cell(told: Comparison) -> str:
    return f"{figure(told.ratio)} [{figure(told.low)}, {figure(told.high)}]"


def figure(value: float) -> str:
    return f"{value:.3g}" if value < 100 else number(value)


def joined(runs: Sequence[Run]) -> str:
    return f"{sum(run.joined for run in runs):,} of {sum(run.accepted for run in runs):,}"


def clock(runs: Sequence[Run]) -> str:
    """Return by how much the other clock was told to be ahead, and the greatest doubt about it."""
    hosts = [run.host for run in runs if run.host]
    ahead_s = [host.offset_ns / 1e9 for host in hosts]
    told = dict.fromkeys(f"{each(ahead_s):,.5f}" for each in (min, max))
    doubt_ms = max(host.uncertainty_ns for host in hosts) / 1e6
    return f"{' to '.join(told)} s ± {doubt_ms:.2f} ms"


def overlapping(ours: Sequence[Comparison], others: Sequence[Comparison]) -> str:
    """Return whether the intervals of both places overlap, and else whose do not."""
    apart = [a.metric for a, b in zip(ours, others, strict=True) if a.high < b.low or b.high < a.low]
    return f"all but {', '.join(apart)}" if apart else "all"


if __name__ == "__main__":
    sys.exit(main())
