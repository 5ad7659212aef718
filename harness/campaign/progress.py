"""Progress of a campaign: a live line in a terminal, a plain log elsewhere."""

import math
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.live import Live
from rich.text import Text

from results.percentile import percentile
from results.schema import Plan, Trial
from results.store import Campaign
from results.terms import BYSTANDERS, ENOUGH_FOR_P99, NEVER, OFFERED_BY_ALL, REQUEST, Outcome
from results.text import visible

REFRESHES_PER_S = 2.0
"""of the live line: the generator may share our core"""


@dataclass
class Progress:
    """Says what runs now, how long it has taken and may still take, and each result once it is sealed."""

    console: Console
    expected_s: float
    """for all trials; a search's budget, infinite where it has none"""
    total: int
    """trials in all; 0 for a search, which does not know"""
    done: int = 0
    _started: float = field(default_factory=time.monotonic)
    _doing: str = ""
    _expected_done_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Progress":
        self._live = Live(
            get_renderable=self._line,
            console=self.console,
            auto_refresh=self.console.is_terminal,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begin(self, plan: Plan) -> None:
        """Say which trial runs now."""
        self._doing = describe(plan)

    def expect(self, seconds: float) -> None:
        """Count in one more trial: an invalid one that is repeated."""
        self.total += 1
        self.expected_s += seconds

    def say(self, line: str) -> None:
        """Print a line above the live one."""
        self.console.print(Text(visible(line)), soft_wrap=True)

    def sealed(self, plan: Plan, figures: str, expected_s: float) -> None:
        """Print a sealed trial's figures."""
        with self._lock:
            self.done += 1
            self._expected_done_s += expected_s
            self.say(f"{self._clock()} [{self._count(self.done)}] {describe(plan)}: {figures}")

    def _line(self) -> Text:
        running = f"running {visible(self._doing)}" if self._doing else ""
        return Text(f"{self._clock()} [{self._count(self.done + 1)}] {running}")

    def _count(self, number: int) -> str:
        return f"{number}/{self.total}" if self.total else str(number)

    def _clock(self) -> str:
        elapsed_s = time.monotonic() - self._started
        if not self.total:
            left_s = max(self.expected_s - elapsed_s, 0)
            return f"{minutes(elapsed_s)} elapsed" + (
                f", {minutes(left_s)} left" if left_s < math.inf else ""
            )
        pace = elapsed_s / self._expected_done_s if self._expected_done_s > 0 else 1.0
        left_s = max(self.expected_s - self._expected_done_s, 0) * pace
        return f"{minutes(elapsed_s)} elapsed, {minutes(left_s)} left"


def minutes(seconds: float) -> str:
    """Write a time as `m:ss`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def describe(plan: Plan) -> str:
    """Name a planned trial in words."""
    topology = "" if plan.topology == "one-box" else f" {plan.topology}"
    scenario = "" if plan.scenario == "steady" else f" {plan.scenario}"
    if plan.drill:
        return f"{plan.drill} {plan.subject}{topology} #{plan.repeat + 1}"
    task = "" if plan.kind == REQUEST.name else f" {plan.kind} {plan.duration_ms:g} ms"
    return f"{plan.subject}{topology}{scenario}{task} at {plan.rate_per_s:g}/s"


def result(campaign: Campaign, trial: Trial) -> str:
    """Put a sealed trial's figures in one line: p99 after the warm-up, from the due time; a drill's fates."""
    verdict = "" if trial.valid else f" · INVALID: {'; '.join(trial.reasons)}"
    if trial.incident:
        fates = trial.incident.fates.items()
        return ", ".join(f"{count} {fate.replace('_', ' ')}" for fate, count in fates if count) + verdict
    bystanders = campaign.table(trial, "bystanders")
    streams = np.asarray(bystanders["stream"].to_numpy())
    measured_ns = trial.load.steps[0].measure_from_ns
    figures = [f"accept {_p99_ms(campaign.table(trial, 'requests'), measured_ns, trial, label='p99 ')}"]
    figures += [
        f"{stream.label} {_p99_ms(bystanders.filter(pa.array(streams == stream)), measured_ns, trial)}"
        for stream in BYSTANDERS
        if stream in streams or (stream in OFFERED_BY_ALL and trial.plan.kind != REQUEST.name)
    ]
    counts = trial.accounts
    if counts.finished or trial.plan.kind != REQUEST.name:
        figures.append(f"{counts.finished}/{counts.accepted} done")
    if not trial.drained:
        figures.append("backlog cut off")
    return " · ".join(figures) + verdict


def _p99_ms(table: pa.Table, measured_ns: int, trial: Trial, label: str = "") -> str:
    """Return the p99 of a stream behind its label; of too few samples, their maximum and number."""
    due_ns, replied_ns = (np.asarray(table[name].to_numpy()) for name in ("due_ns", "replied_ns"))
    outcome = np.asarray(table["outcome"].to_numpy())
    chosen = (due_ns >= measured_ns) & (outcome != Outcome.SHED)
    if not chosen.any():
        return "n/a"
    ended_ns = np.where(replied_ns == NEVER, max(trial.load.drained_ns, int(due_ns.max())), replied_ns)
    value_ms = percentile((ended_ns - due_ns)[chosen], 99) / 1e6
    text = f"{value_ms:.1f} ms" if value_ms < 100 else f"{value_ms:,.0f} ms"
    count = int(np.count_nonzero(chosen))
    return f"{label}{text}" if count >= ENOUGH_FOR_P99 else f"max {text} of {count}"
