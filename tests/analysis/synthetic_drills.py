"""Synthetic campaigns of drills: the fate of every task is decided here, and its records follow from it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from results.findings import Accounts, Incident
from results.load import Load, Step
from results.schema import Manifest, Plan, Service, Subject, Trial
from results.store import Campaign, create_campaign
from results.tables import write_table
from results.terms import NEVER, Fate, Look, Moment, Outcome, Stream

START_NS: Final = 7_000_000_000
FAULT_S: Final = 1.5
REPAIRED_S: Final = 2.0
REST_S: Final = 6.0
WINDOW_S: Final = 5.0
SERVICE_S: Final = 0.25
QUEUE_S: Final = 0.08
BACKOFF_S: Final = 0.15
WEB, NEXT_WEB, DEAD, SPARE = 100, 101, 200, 300
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DrillCell:
    """One drill to make: 20 tasks/s of 0.25 s for 4 s, of which the fault at 1.5 s meets some."""

    drill: str
    strategy: str
    variant: str = "default"
    then: str = "keeps"
    """what becomes of tasks under way: `loses`, `hides`, `repeats` or `keeps` them"""
    down: bool = False
    """the API refuses everything while the fault lasts"""
    slow_ms: float = 0.0
    """how much slower it answers meanwhile"""
    poison: str = ""
    """`raise` or `kill`: every fifth task is poisonous, and the fault lasts for the whole load"""
    attempts: int = 3
    repeat: int = 0
    broker: bool = True
    reasons: list[str] = field(default_factory=list)
    summary: str = ""
    tells: dict[str, int] = field(default_factory=dict)
    """what the trial's document says differently from its rows"""

    @property
    def key(self) -> str:
        return f"{self.strategy}/{self.variant}"


@dataclass
class _Records:
    """The records of a trial as they are made."""

    events: list[tuple[int, Moment, float, int, int]] = field(default_factory=list)
    held: list[tuple[int, Look]] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    hidden: list[float] = field(default_factory=list)

    def run(self, task: int, at: float, pid: int, end: Moment | None, attempt: int = 1) -> None:
        self.events.append((task, Moment.STARTED, at, pid, attempt))
        if end:
            self.events.append((task, end, at + SERVICE_S * (end is Moment.FINISHED), pid, attempt))


def build_drills(folder: Path, cells: list[DrillCell], jobs: int = 1) -> Campaign:
    """Write a campaign of these drills."""
    subjects = {cell.key: _subject(cell) for cell in cells}
    plans = [_plan(cell, number) for number, cell in enumerate(cells)]
    manifest = Manifest(
        campaign=folder.name,
        created_at="2025-01-01T00:00:00Z",
        command=["blockpoint", "drill"],
        profile="synthetic",
        seed=1,
        topology=["one-box"],
        loop="uvloop",
        http="httptools",
        subjects=list(subjects.values()),
        plans=plans,
        jobs=jobs,
        calibration={},
        pinning={},
        environment={
            "host": {"cpu_model": "Synthetic CPU", "cpu_count": 2},
            "packages": {"fastapi": "0.165.0", "celery": "5.6.3"},
        },
    )
    campaign = create_campaign(folder, manifest)
    for cell, plan in zip(cells, plans, strict=True):
        _trial(campaign, cell, plan)
    return campaign


def _subject(cell: DrillCell) -> Subject:
    return Subject(
        strategy=cell.strategy,
        variant=cell.variant,
        summary=f"a synthetic {cell.strategy}",
        services={"sleep": Service(law="pool", slots=10)},
        max_attempts=cell.attempts,
        queues=["queue"] if cell.broker else [],
        workers=int(cell.broker),
        window_s=WINDOW_S if cell.broker else 0.0,
    )


def _plan(cell: DrillCell, number: int) -> Plan:
    return Plan(
        trial_id=f"{number:04d}-{cell.drill}-{cell.strategy}-{cell.variant}",
        subject=cell.key,
        kind="sleep",
        duration_ms=SERVICE_S * 1000,
        scenario="steady",
        rate_per_s=20.0,
        seconds=4.0,
        seed=cell.repeat + 1,
        repeat=cell.repeat,
        options=["--poison", cell.poison, "--poison-every", "5"] if cell.poison else [],
        drill=cell.drill,
    )


def _trial(campaign: Campaign, cell: DrillCell, plan: Plan) -> None:
    rng = np.random.default_rng((plan.seed, len(cell.drill)))
    due = np.sort(rng.uniform(0, 4, 80))
    ids = np.arange(len(due), dtype=np.uint64) * np.uint64(4) + np.uint64(1 << 40)
    refused = cell.down & (due > FAULT_S) & (due < REPAIRED_S)
    made = _Records()
    for arrival, (task, at) in enumerate(zip(ids.tolist(), due.tolist(), strict=True)):
        if refused[arrival]:
            made.fates.append(Fate.REJECTED)
        else:
            web = NEXT_WEB if cell.down and at > FAULT_S else WEB
            made.events.append((task, Moment.RECEIVED, at + 0.0005, web, 0))
            made.events.append((task, Moment.ACCEPTED, at + 0.001, web, 0))
            made.fates.append(_story(cell, made, task, arrival, at + QUEUE_S))
    staged = campaign.stage(plan.trial_id, 1)
    rows = {
        "requests": write_table(
            staged,
            "requests",
            _answers(cell, due, refused)
            | {
                "arrival": np.arange(len(due), dtype=np.int32),
                "task_id": ids,
                "duration_ms": np.full(len(due), plan.duration_ms),
            },
        ),
        "bystanders": write_table(staged, "bystanders", _bystanders(rng, cell)),
        "events": write_table(staged, "events", _events(made, rng)),
        "resources": write_table(staged, "resources", _resources()),
        "holdings": write_table(
            staged,
            "holdings",
            {
                "task_id": np.array([task for task, _ in made.held], np.uint64),
                "look": np.array([look for _, look in made.held], np.int8),
                "place": np.array(["unacked"] * len(made.held), object),
            },
        ),
    }
    campaign.seal(staged, _document(cell, plan, made, rows, int(refused.sum())))


def _story(cell: DrillCell, made: _Records, task: int, arrival: int, start: float) -> Fate:
    """Write down a task's runs and return its fate."""
    if cell.poison and arrival % 5 == 4:
        for attempt in range(1, cell.attempts + 1):
            end = Moment.FAILED if cell.poison == "raise" else None
            made.run(task, start + (attempt - 1) * BACKOFF_S, DEAD + arrival + attempt, end, attempt)
        return Fate.FAILED if cell.poison == "raise" else Fate.LOST
    under_way = start - QUEUE_S < FAULT_S < start + SERVICE_S and not cell.poison
    if not under_way or cell.then == "keeps":
        made.run(task, start, SPARE, Moment.FINISHED)
        return Fate.COMPLETED
    began = start < FAULT_S
    if began:
        made.run(task, start, DEAD, None)
    if cell.then == "loses":
        return Fate.LOST
    again = REPAIRED_S + 0.1 if cell.then == "repeats" else FAULT_S + WINDOW_S
    if cell.then == "hides":
        made.held.append((task, Look.AT_REST))
        made.hidden.append(again - FAULT_S)
    made.run(task, again, SPARE, Moment.FINISHED)
    if began:
        return Fate.STARTED_TWICE
    return Fate.HIDDEN if cell.then == "hides" else Fate.COMPLETED


def _document(cell: DrillCell, plan: Plan, made: _Records, rows: dict[str, int], refused: int) -> Trial:
    total = len(made.fates)
    accepted = total - refused
    counts = Counter(made.fates)
    told = {fate.label: counts[fate] for fate in Fate} | cell.tells
    lasting = bool(cell.poison)
    load = Load(
        scenario="steady",
        kind="sleep",
        seed=plan.seed,
        arrivals="poisson",
        bystander_per_s=20.0,
        boot_id="one",
        timer="timerfd",
        identity={},
        steps=[
            Step(rate_per_s=20.0, duration_ms=250.0, from_ns=_ns(0), measure_from_ns=_ns(0.8), to_ns=_ns(4))
        ],
        drained_ns=_ns(4.5),
        scheduled=total,
        accepted=accepted,
        rejected=0,
        refused=refused,
        unknown=0,
        shed=0,
        achieved_ratio=1.0,
        slip_p50_ms=0.05,
        slip_p99_ms=0.2,
        slip_p999_ms=0.5,
        cpu_cores=0.1,
        in_flight_max=5,
    )
    incident = Incident(
        summary=cell.summary or f"what {cell.drill} does",
        trigger="" if lasting else "at least 10 ended, 1 running",
        accepted=0 if lasting else 30,
        started=0 if lasting else 28,
        ended=0 if lasting else 24,
        from_ns=_ns(0 if lasting else FAULT_S),
        to_ns=_ns(4 if lasting else REPAIRED_S),
        struck=[] if lasting else [DEAD],
        deaths=16 if cell.poison == "kill" else 0,
        at_rest_ns=_ns(REST_S),
        horizon_ns=_ns(15),
        survivors=[NEXT_WEB if cell.down else WEB, SPARE],
        window_s=WINDOW_S if cell.broker else 0.0,
        default_window_s=3600.0 if cell.broker else 0.0,
        hidden=len(made.hidden),
        hidden_until_s=max(made.hidden) if made.hidden else None,
        fates=told,
    )
    return Trial(
        plan=plan,
        started_at="2025-01-01T00:00:00Z",
        boot_id="one",
        ceiling_per_s=40.0,
        drained=True,
        drained_ns=_ns(15),
        load=load,
        accounts=Accounts(
            accepted=accepted,
            finished=accepted - counts[Fate.LOST] - counts[Fate.FAILED],
            failed=counts[Fate.FAILED],
            started_twice=counts[Fate.STARTED_TWICE],
            finished_twice=0,
            lost=counts[Fate.LOST],
            unaccounted=0,
            ran_unaccepted=0,
            in_service=0,
            waiting=0,
            strangers=0,
        ),
        incident=incident,
        rows=rows,
        reasons=cell.reasons,
    )


def _ns(seconds: Any) -> Any:
    nanoseconds = np.round(np.asarray(seconds) * 1e9).astype(np.int64) + START_NS
    return int(nanoseconds) if nanoseconds.ndim == 0 else nanoseconds


def _answers(cell: DrillCell, due: Floats, refused: npt.NDArray[np.bool_]) -> dict[str, Any]:
    meanwhile = (due > FAULT_S) & (due < REPAIRED_S)
    reply = due + 0.002 + np.where(meanwhile, cell.slow_ms / 1000, 0.0)
    return {
        "step": np.zeros(len(due), np.int16),
        "due_ns": _ns(due),
        "sent_ns": _ns(due + 0.00005),
        "replied_ns": np.where(refused, NEVER, _ns(reply)),
        "status": np.where(refused, 0, 202).astype(np.int16),
        "outcome": np.where(refused, int(Outcome.REFUSED), int(Outcome.ACCEPTED)).astype(np.int8),
        "error": np.where(refused, "connection refused", ""),
    }


def _bystanders(rng: np.random.Generator, cell: DrillCell) -> dict[str, Any]:
    tables = []
    for stream in (Stream.PING, Stream.PING_SYNC):
        due = np.sort(rng.uniform(0, 4, 80))
        refused = cell.down & (due > FAULT_S) & (due < REPAIRED_S)
        tables.append(
            _answers(cell, due, refused)
            | {
                "stream": np.full(len(due), int(stream), np.int8),
                "arrival": np.arange(len(due), dtype=np.int32),
            }
        )
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def _events(made: _Records, rng: np.random.Generator) -> dict[str, Any]:
    shuffled = [made.events[place] for place in rng.permutation(len(made.events))]
    task, moment, at, pid, attempt = zip(*shuffled, strict=True)
    return {
        "task_id": np.array(task, np.uint64),
        "moment": np.array(moment, np.int8),
        "at_ns": _ns(np.array(at)),
        "pid": np.array(pid, np.int32),
        "attempt": np.array(attempt, np.int16),
    }


def _resources() -> dict[str, Any]:
    return {
        "at_ns": _ns(np.array([1.0])),
        "role": np.array(["web"], object),
        "processes": np.array([1], np.int16),
        "cpu_cores": np.array([0.1]),
        "rss_bytes": np.array([1 << 20], np.int64),
        "queue_depth": np.array([NEVER], np.int64),
        "loop_lag_ns": np.array([1_000_000], np.int64),
        "pool_in_use": np.array([1], np.int32),
    }
