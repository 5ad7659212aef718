"""A run as a whole: what is asked of the workers, and the verdict on what they bring back."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from loadtests.openloop import figures, gate
from loadtests.openloop.identity import bystanders, web_processes
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.order import HEAD_START_S
from loadtests.openloop.recorder import KINDS, Rows, merge, tables
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S
from loadtests.openloop.session import Outcomes
from results.clock import boot_id
from results.errors import BlockpointError
from results.load import Load
from results.terms import Outcome, Stream

Message = dict[str, Any]
PATIENCE_S = 60.0
"""for planning a long schedule, and for reports on their way"""


@dataclass
class Run:
    """One run, seen from the process that leads it."""

    scenario: Scenario
    settings: LoadSettings
    identity: Mapping[str, Any]
    workers: int
    tag: int = field(default_factory=lambda: secrets.randbits(32))
    reports: dict[int, Message] = field(default_factory=dict)
    """by the worker's index"""
    accepted: set[int] = field(default_factory=set)
    """the indices of the workers that have accepted their orders"""
    start_ns: int = 0

    def orders(self, users: int, *, distributed: bool) -> list[Message]:
        """Return what each worker needs to know: its share of the one schedule, and when that starts.

        `users` is the number of users of a closed loop, of all workers together.
        """
        self.start_ns = time.monotonic_ns() + round(HEAD_START_S * NS_PER_S) if distributed else 0
        shared = {
            "scenario": self.scenario.name,
            "settings": dict(self.settings.values),
            "users": users,
            "bystanders": [int(stream) for stream in bystanders(self.identity)],
            "tag": self.tag,
            "count": self.workers,
            "web_processes": web_processes(self.identity),
            "start_ns": self.start_ns,
            "boot_id": boot_id(),
        }
        return [{**shared, "index": index} for index in range(self.workers)]

    @property
    def longest_s(self) -> float:
        """How long after its orders this run may take, with answers that come at the last moment."""
        settings = self.settings
        return float(settings.seconds + 2 * settings.drain_seconds) + PATIENCE_S

    @property
    def undecided(self) -> list[int]:
        """The indices of the workers that have not answered their orders."""
        return [index for index in range(self.workers) if index not in self.accepted]

    @property
    def silent(self) -> list[int]:
        """The indices of the workers that have not reported."""
        return [index for index in range(self.workers) if index not in self.reports]

    @property
    def complete(self) -> bool:
        """Whether every worker has reported."""
        return not self.silent

    def load(self, *, interrupted: bool = False) -> tuple[Load, Rows, list[str]]:
        """Judge what was reported; returns the document, the rows of all workers and their error texts."""
        reports = [self.reports[index] for index in sorted(self.reports)]
        rows, errors = merge([(unpack_rows(r["rows"]), r["errors"]) for r in reports])
        start_ns, end_ns = _span_ns(reports)
        settings, closed = self.settings, self.scenario.closed
        steps = figures.measured_steps(self.scenario.steps(settings), start_ns, end_ns, settings.warm_up)
        part = figures.measured(rows, steps)
        slip = figures.slip_ns({name: column[part] for name, column in rows.items()})
        slips_ms = np.nan_to_num(figures.percentiles_ms(slip, 50, 99, 99.9)).tolist()
        counts = figures.outcome_counts(rows)
        ended: dict[str, Any] = {outcome.name.lower(): number for outcome, number in counts.items()}
        planned = sum(s.rate_per_s * (s.to_ns - s.from_ns) / NS_PER_S for s in steps)
        load = Load(
            scenario=self.scenario.name,
            closed=closed,
            kind=settings.kind,
            seed=settings.seed,
            arrivals=settings.arrivals,
            cv=settings.cv,
            mix=settings.mix,
            bystander_per_s=settings.bystander_rate,
            boot_id=boot_id(),
            timer="+".join(sorted({r["timer"] for r in reports})),
            identity=dict(self.identity),
            steps=steps,
            drained_ns=_most(reports, "drained_ns", end_ns),
            scheduled=sum(counts.values()),
            **ended,
            achieved_ratio=sum(counts.values()) / max(planned, 1e-9)
            if closed
            else figures.achieved_ratio(rows, start_ns, end_ns),
            **dict(zip(("slip_p50_ms", "slip_p99_ms", "slip_p999_ms"), slips_ms, strict=True)),
            cpu_cores=sum(r["cpu_cores"] for r in reports),
            in_flight_max=sum(r["in_flight_max"] for r in reports),
            interrupted=interrupted or not self.complete or any(r["interrupted"] for r in reports),
        )
        reasons = self._reasons(load, rows, errors, reports)
        return msgspec.structs.replace(load, reasons=reasons), rows, errors

    def _reasons(
        self, load: Load, rows: Rows, errors: Sequence[str], reports: Sequence[Message]
    ) -> list[str]:
        """Return why the run does not count, by the gate."""
        settings, part = self.settings, figures.measured(rows, load.steps)
        accept_p50_ms = figures.percentiles_ms(figures.latency_ns(rows, Stream.TASKS, part), 50)[0]
        seen = gate.Figures(
            scheduled=int(np.count_nonzero(part & (rows["stream"] == Stream.TASKS))),
            slip_p99_ms=load.slip_p99_ms,
            accept_p50_ms=float(np.nan_to_num(accept_p50_ms)),
            shed=int(np.count_nonzero(rows["outcome"] == Outcome.SHED)),
            shed_wait_ms=figures.shed_wait_ms(rows, load.in_flight_max, part),
            achieved_ratio=figures.achieved_ratio(figures.not_shed(rows), *_span_ns(reports)),
            cpu_cores=_most(reports, "cpu_cores", 0.0),
            sockets_max=_most(reports, "sockets_max", 0),
            errors=figures.failures(rows, errors),
            interrupted=load.interrupted,
            overdue_share=_most(reports, "overdue_share", 0.0),
            one_clock=len({boot_id(), *(r["boot_id"] for r in reports)}) == 1,
        )
        return gate.reasons_against(
            seen,
            closed=load.closed,
            allow_errors=settings.allow_errors,
            tolerated_slip_ms=settings.slip_limit_ms,
            slo_ms=settings.slo_ms,
        )


def _most(reports: Sequence[Message], name: str, default: Any) -> Any:
    return max((report[name] for report in reports), default=default)


def _span_ns(reports: Sequence[Message]) -> tuple[int, int]:
    """Return when the schedule began and ended."""
    start_ns = min((report["start_ns"] for report in reports), default=time.monotonic_ns())
    return start_ns, _most(reports, "end_ns", start_ns)


def pack(outcomes: Outcomes, index: int) -> Message:
    """Return what a worker reports, fit for Locust's messages."""
    rows = {name: column.tobytes() for name, column in outcomes.rows.items()}
    return {**vars(outcomes), "rows": rows, "index": index, "boot_id": boot_id()}


def unpack_rows(packed: Mapping[str, bytes]) -> Rows:
    """Return the rows of a report."""
    return {name: np.frombuffer(packed[name], kind) for name, kind in KINDS.items()}


def check_out(folder: Path) -> None:
    """Make sure, before the load, that a run can be written there; raises BlockpointError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlockpointError(f"--out {folder}: cannot be made ({error.strerror})") from None
    if (folder / "load.json").exists():
        raise BlockpointError(f"--out {folder}: holds a run already; give another folder")


def write(folder: Path, load: Load, rows: Rows, errors: Sequence[str], tag: int) -> None:
    """Write the tables, and last `load.json`; raises BlockpointError, e.g. where the disk is full."""
    from results.documents import write_document
    from results.tables import write_table

    try:
        for name, columns in tables(rows, errors, tag).items():
            write_table(folder, name, columns)
        write_document(folder / "load.json", load)
    except OSError as error:
        raise BlockpointError(f"--out {folder}: cannot be written ({error.strerror or error})") from None
