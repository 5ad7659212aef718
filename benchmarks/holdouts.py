"""How often a plan is right: settings for points that the reference left out, run for real.

    python -m benchmarks holdouts [--seconds 44] [--show]

Demands are drawn by a seeded generator, with durations that the reference never measured. Each is planned
for, with no headroom and for a peak as long as the trial; then the recommended setting and the next smaller
one are run under the same schedule. What was measured is kept in `benchmarks/holdouts.csv`, a line a trial,
so that a later call goes on; each call begins no trial after so many seconds.

To reach: 90 % of the recommended settings meet their objective, 70 % of the next smaller ones do not.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pandas as pd

from analysis.drills.facts import shipped_facts
from analysis.plan.bounds import keeps, started_late_ms, work
from analysis.plan.demand import Demand
from analysis.plan.lines import waits
from analysis.plan.measures import Measure
from analysis.plan.options import Option, option
from analysis.plan.reference import shipped
from analysis.plan.settings import Setting, next_smaller
from analysis.trials.load import load_campaign
from analysis.trials.summary import summarise
from benchmarks.processes import ROOT, parser
from results.terms import OFFERED_BY_ALL, Stream

KEPT: Final = Path(__file__).with_name("holdouts.csv")
SEED: Final = 14
TRIAL_S: Final = 8.0
SLO_MS: Final = 100.0
DURATIONS_MS: Final = (50.0, 150.0, 250.0, 300.0)
IN_SERVICE: Final = (3.0, 30.0)
"""tasks on average, by which the rate is drawn"""
SLACK: Final = (1.3, 1.6, 2.2)
"""how much longer than it lasts a task may take"""
SUBJECTS: Final = (
    "threadpool/tuned",
    "background_tasks/default",
    "celery/tuned",
    "background_tasks/tuned",
    "arq/tuned",
)
CASES: Final = 20
MET: Final = 0.9
FAILED: Final = 0.7
TRIES: Final = 1


@dataclass(frozen=True)
class Row:
    """One trial, predicted and measured."""

    case: int
    subject: str
    duration_ms: float
    rate_per_s: float
    done_within_ms: float
    setting: str
    """`recommended` or `smaller`"""
    slots: int
    predicted_low_ms: float
    predicted_high_ms: float
    """the ends of the completion's p99"""
    predicted_meets: bool
    completion_p99_ms: float
    api_p99_ms: float
    meets: bool


@dataclass(frozen=True)
class Case:
    """A demand for one subject."""

    number: int
    measure: Measure
    demand: Demand
    option: Option

    @property
    def settings(self) -> Iterator[tuple[str, Setting]]:
        """What is run."""
        yield "recommended", self.option.setting
        if below := next_smaller(self.measure, self.option.setting):
            yield "smaller", below


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--seconds", type=float, default=44.0, help="after which no trial begins")
    options.add_argument("--show", action="store_true", help="run nothing, print what is kept")
    given = options.parse_args()
    until = time.monotonic() + given.seconds
    done = read()
    if not given.show:
        done = list(measure(done, until))
    print(table(done))
    missing = 2 * CASES - len(done)
    if missing:
        print(f"{missing} trials are left")
        return 0
    met, failed = shares(done)
    return 0 if met >= MET and failed >= FAILED else 1


def cases() -> Iterator[Case]:
    """Yield the demands that some setting carries, until there are enough of them."""
    found, random, number = shipped(), np.random.default_rng(SEED), 0
    known = {each.subject: each for each in found.subjects}
    while number < CASES:
        measure = known[SUBJECTS[number % len(SUBJECTS)]]
        duration_ms = float(random.choice(DURATIONS_MS))
        low, high = np.log(IN_SERVICE)
        rate = float(f"{np.exp(random.uniform(low, high)) / duration_ms * 1000:.3g}")
        demand = Demand(
            lowest_per_s=rate,
            highest_per_s=rate,
            duration_ms=duration_ms,
            kind="sleep",
            slo_p99_ms=SLO_MS,
            done_within_ms=round(float(random.choice(SLACK)) * duration_ms),
            cores=found.cores,
            peak_s=TRIAL_S,
        )
        planned = option(found, measure, demand, shipped_facts())
        if isinstance(planned, Option) and next_smaller(measure, planned.setting):
            yield Case(number, measure, demand, planned)
            number += 1


def measure(done: Sequence[Row], until: float) -> Iterator[Row]:
    """Yield what is kept, and measure what is not, as long as there is time."""
    yield from done
    have = {(row.case, row.setting) for row in done}
    for case in cases():
        for name, setting in case.settings:
            if (case.number, name) in have:
                continue
            if time.monotonic() > until:
                return
            if row := _run(case, name, setting):
                _keep(row)
                yield row


def _run(case: Case, name: str, setting: Setting) -> Row | None:
    """Run one trial; None where the gate refused it."""
    demand, measure = case.demand, case.measure
    with tempfile.TemporaryDirectory() as runs:
        command = [
            *(sys.executable, "-m", "harness", "run", "--strategy", measure.subject, "--kind", demand.kind),
            *("--duration", f"{demand.duration_ms:g}ms", "--rate", f"{demand.highest_per_s:g}"),
            *("--seconds", f"{TRIAL_S:g}", "--repeats", "1", "--topology", "one-box"),
            *("--seed", str(100 + case.number), "--attempts", str(TRIES), "--no-report", "--name", "holdout"),
            *slots_option(measure, setting),
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "BLOCKPOINT_RUNS": runs},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"case {case.number}, {name}: {done.stdout[-200:]} {done.stderr[-200:]}", file=sys.stderr)
            return None
        return _row(case, name, setting, Path(runs) / "holdout")


def slots_option(measure: Measure, setting: Setting) -> list[str]:
    """Return the option of `run` that sets so many slots."""
    shared = "ping_sync" in measure.service.shares
    return ["--anyio-tokens" if shared else "--slots", str(setting.slots_each)]


def _row(case: Case, name: str, setting: Setting, folder: Path) -> Row | None:
    demand, measure = case.demand, case.measure
    measured = load_campaign(folder)
    rows = pd.concat([summarise(frames, measured.manifest) for frames in measured.frames()])
    valid = rows[rows["valid"].astype(bool)].to_dict("records")
    if not valid:
        return None
    found = valid[-1]
    columns = [f"{each.column}_p99" for each in (Stream.TASKS, *OFFERED_BY_ALL)]
    api_ms = max(float(found[f"{column}_ms"]) for column in columns)
    ended_ms = float(found["completion_p99_ms"])
    expected = waits(setting.line(measure), demand.highest_per_s, work(measure, demand))
    late = started_late_ms(measure)
    return Row(
        case=case.number,
        subject=measure.subject,
        duration_ms=demand.duration_ms,
        rate_per_s=demand.highest_per_s,
        done_within_ms=demand.done_within_ms,
        setting=name,
        slots=setting.slots,
        predicted_low_ms=round(expected.completion.low + late, 1),
        predicted_high_ms=round(expected.completion.high + late, 1),
        predicted_meets=keeps(measure, demand, expected),
        completion_p99_ms=round(ended_ms, 1),
        api_p99_ms=round(api_ms, 1),
        meets=ended_ms <= demand.done_within_ms
        and api_ms <= demand.slo_p99_ms
        and not found["completion_p99_at_least"],
    )


def read() -> list[Row]:
    """Return what is kept."""
    if not KEPT.exists():
        return []
    with KEPT.open(newline="") as file:
        return [msgspec.convert(row, Row, strict=False) for row in csv.DictReader(file)]


def _keep(row: Row) -> None:
    new = not KEPT.exists()
    with KEPT.open("a", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(field.name for field in fields(Row))
        out.writerow(getattr(row, field.name) for field in fields(Row))


def shares(done: Sequence[Row]) -> tuple[float, float]:
    """Return which share of the recommended settings met its objective, and of the smaller ones did not."""
    recommended = [row.meets for row in done if row.setting == "recommended"]
    smaller = [not row.meets for row in done if row.setting == "smaller"]
    return float(np.mean(recommended)), float(np.mean(smaller))


def table(done: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, a miss in bold, and beneath it how many are right."""
    head = (
        "| demand | setting | slots | done within, predicted p99 | measured | API p99 | objective |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    )
    lines = [_line(row) for row in sorted(done, key=lambda row: (row.case, row.setting))]
    recommended = [row for row in done if row.setting == "recommended"]
    smaller = [row for row in done if row.setting == "smaller"]
    met, failed = sum(row.meets for row in recommended), sum(not row.meets for row in smaller)
    told = (
        f"{met} of {len(recommended)} recommended settings met their objective; "
        f"{failed} of {len(smaller)} next smaller ones did not."
    )
    return "\n".join([head, *lines, "", told])


def _line(row: Row) -> str:
    wanted = row.setting == "recommended"
    met = "met" if row.meets else "not met"
    cells = (
        f"{row.subject}, {row.rate_per_s:g}/s of {row.duration_ms:g} ms within {row.done_within_ms:g} ms",
        row.setting,
        str(row.slots),
        f"{row.predicted_low_ms:g} to {row.predicted_high_ms:g} ms",
        f"{row.completion_p99_ms:g} ms",
        f"{row.api_p99_ms:g} ms",
        met if row.meets == wanted else f"**{met}**",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
