"""A run as a whole: what is asked of the workers, and the verdict on what they bring back."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from loadtests.openloop import figures, gate
from loadtests.openloop.clocks import Offset, Translation
from loadtests.openloop.crew import Sighting
from loadtests.openloop.identity import bystanders, web_processes
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.order import HEAD_START_S
from loadtests.openloop.recorder import Rows, merge, tables
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S
from loadtests.openloop.session import Outcomes
from loadtests.openloop.spool import stretches
from results.clock import boot_id
from results.errors import BlockpointError
from results.load import Generator, Load
from results.service import FOLLOWED, followed_every
from results.terms import REQUEST, Outcome, Stream

Message = dict[str, Any]
PATIENCE_S = 60.0
"""for planning a long schedule, and for reports on their way"""


@dataclass
class Run:
    """One run, seen from the process that leads it."""

    scenario: Scenario
    settings: LoadSettings
    identity: Mapping[str, Any]
    crew: Sequence[Sighting]
    """who generates, in the order of their shares"""
    tag: int = field(default_factory=lambda: secrets.randbits(32))
    reports: dict[int, Message] = field(default_factory=dict)
    """by the worker's index, with its own times"""
    rows: dict[int, Rows] = field(default_factory=dict)
    """the same of what it measured"""
    clocks_after: dict[int, Offset] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    """the indices of the workers that have accepted their orders"""
    start_ns: int = 0

    @property
    def workers(self) -> int:
        """How many share the schedule."""
        return len(self.crew)

    def orders(self, users: int, *, distributed: bool) -> list[Message]:
        """Return what each worker needs to know: its share of the one schedule, its start by its own clock.

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
        }
        return [
            {
                **shared,
                "index": index,
                "start_ns": self.start_ns and self.start_ns + worker.offset.offset_ns,
                "boot_id": worker.boot_id,
            }
            for index, worker in enumerate(self.crew)
        ]

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
    def lost(self) -> list[str]:
        """The names of the workers whose rows have not come."""
        missing = [worker.name for index, worker in enumerate(self.crew) if index not in self.rows]
        return list(filter(None, missing))

    @property
    def complete(self) -> bool:
        """Whether every worker has reported."""
        return not self.silent

    def load(self, *, interrupted: bool = False) -> tuple[Load, Rows, list[str]]:
        """Judge what was reported; returns the document, the rows of all workers and their error texts."""
        translations = self._translations()
        reports = [_translated(self.reports[index], clock) for index, clock in translations.items()]
        rows, errors = merge(
            [
                (in_our_clock(self.rows[i], clock), self.reports[i]["errors"])
                for i, clock in translations.items()
            ]
        )
        start_ns, end_ns = _span_ns(reports)
        settings, closed = self.settings, self.scenario.closed
        steps = figures.measured_steps(self.scenario.steps(settings), start_ns, end_ns, settings.warm_up)
        part = figures.measured(rows, steps)
        slip = figures.slip_ns({name: rows[name][part] for name in ("due_ns", "sent_ns")})
        slips_ms = np.nan_to_num(figures.percentiles_ms(slip, 50, 99, 99.9)).tolist()
        counts = figures.outcome_counts(rows)
        ended: dict[str, Any] = {outcome.name.lower(): number for outcome, number in counts.items()}
        planned = sum(s.rate_per_s * (s.to_ns - s.from_ns) / NS_PER_S for s in steps)
        load = Load(
            scenario=self.scenario.name,
            closed=closed,
            kind=REQUEST.name if FOLLOWED in self.identity else settings.kind,
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
            followed_every=followed_every(
                self.identity.get(FOLLOWED, 0.0), max((s.rate_per_s for s in steps), default=0.0)
            ),
            interrupted=interrupted
            or len(self.rows) < self.workers
            or any(r["interrupted"] for r in reports),
            generators=[self._generator(index, clock) for index, clock in translations.items()],
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
            lost=self.lost,
            clock_uncertainty_ms=max((g.uncertainty_ns for g in load.generators), default=0) / 1e6,
        )
        return gate.reasons_against(
            seen,
            closed=load.closed,
            allow_errors=settings.allow_errors,
            tolerated_slip_ms=settings.slip_limit_ms,
            slo_ms=settings.slo_ms,
        )

    def _translations(self) -> dict[int, Translation]:
        """Return by index how the times of those whose rows came translate into ours."""
        now_ns = time.monotonic_ns()
        told = {index: self.crew[index].offset for index in sorted(self.rows)}
        return {
            index: Translation(before, self.clocks_after[index])
            if index in self.clocks_after
            else Translation.until(before, now_ns)
            for index, before in told.items()
        }

    def _generator(self, index: int, clock: Translation) -> Generator:
        seen, report = self.crew[index], self.reports[index]
        return Generator(
            name=seen.name,
            host=seen.host,
            boot_id=seen.boot_id,
            requests=len(self.rows[index]["due_ns"]),
            cpu_cores=report["cpu_cores"],
            offset_ns=seen.offset.offset_ns,
            uncertainty_ns=clock.uncertainty_ns,
            drift_ppm=clock.drift_ppm,
        )


def in_our_clock(rows: Rows, clock: Translation) -> Rows:
    """Return rows with their moments by our clock; those of another are written over."""
    if not clock.same:
        for name in ("due_ns", "sent_ns", "replied_ns"):
            for stretch in stretches(len(rows[name])):
                rows[name][stretch] = clock.ours(rows[name][stretch])
    return rows


def _translated(report: Message, clock: Translation) -> Message:
    moments = ("start_ns", "end_ns", "drained_ns")
    return {**report, **{name: clock.moment(report[name]) for name in moments}}


def _most(reports: Sequence[Message], name: str, default: Any) -> Any:
    return max((report[name] for report in reports), default=default)


def _span_ns(reports: Sequence[Message]) -> tuple[int, int]:
    """Return when the schedule began and ended."""
    start_ns = min((report["start_ns"] for report in reports), default=time.monotonic_ns())
    return start_ns, _most(reports, "end_ns", start_ns)


def pack(outcomes: Outcomes, index: int) -> Message:
    """Return what a worker reports, fit for Locust's messages: all but its rows, which are fetched."""
    return {**vars(outcomes), "rows": len(outcomes.rows["due_ns"]), "index": index}


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
    from results.tables import write_tables

    try:
        write_tables(folder, _stretches_of_tables(rows, errors, tag))
        write_document(folder / "load.json", load)
    except OSError as error:
        raise BlockpointError(f"--out {folder}: cannot be written ({error.strerror or error})") from None


def _stretches_of_tables(
    rows: Rows, errors: Sequence[str], tag: int
) -> Iterator[dict[str, dict[str, np.ndarray]]]:
    for stretch in stretches(len(rows["due_ns"])):
        yield tables({name: column[stretch] for name, column in rows.items()}, errors, tag)
