"""Synthetic campaigns whose truth is known: every strategy is a FIFO queue G/D/c, solved exactly."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from analysis.queueing import saturation_rate
from benchmarks.simulation import fifo as varied_fifo
from results.documents import write_document
from results.draws import durations_ms
from results.findings import Accounts, TargetHost
from results.lasting import Lasting
from results.load import Load, Step
from results.schema import Manifest, Plan, Point, Service, Subject, Trial
from results.store import MANIFEST, Campaign, create_campaign
from results.sums import seal
from results.tables import write_table
from results.terms import BYSTANDERS, FANOUT_PARTS, NEVER, OFFERED_BY_ALL, Moment, Outcome

Floats = npt.NDArray[np.float64]
START_NS = 5_000_000_000
NETWORK_S = 0.0003
POOL = Service(law="pool", slots=40)
SEARCHED = Point(
    subject="celery/default",
    kind="sleep",
    duration_ms=50,
    lowest_per_s=1,
    highest_per_s=600,
    seconds=3,
    max_seconds=6,
    bystander_per_s=20,
)


@dataclass(frozen=True)
class Cell:
    """One trial to make: `steps` are (rate a second, seconds, duration in ms)."""

    strategy: str
    steps: list[tuple[float, float, float]]
    variant: str = "default"
    service: Service = POOL
    scenario: str = "steady"
    kind: str = "sleep"
    topology: str = "one-box"
    repeat: int = 0
    seed: int = 1
    suffers: tuple[str, ...] = ()
    """streams that wait in the same queue as the tasks; ping_db is there only where it does"""
    workers: int = 0
    reasons: list[str] = field(default_factory=list)
    bystander_per_s: float = 20.0
    unanswered: float = 0.0
    """share of requests (tasks and bystanders alike) that never got their answer"""
    shed: float = 0.0
    """share of the tasks that were never sent; of as many, the client gave up waiting"""
    lost: int = 0
    """accepted tasks at the end of the schedule that never finish"""
    closed: bool = False
    cv: float = 0.0
    """coefficient of variation of the durations"""
    mix: float = 0.0
    """how many times as long as the others one task in ten is"""
    arrivals: str = "poisson"
    """what the load says that they were: here they are Poisson in any case"""
    host: TargetHost | None = None
    """where an agent started its target"""


@dataclass(frozen=True)
class Truth:
    """What the simulation knows of each task, in order of due time."""

    due_s: Floats
    wait_s: Floats
    service_s: Floats


def arrivals(rng: np.random.Generator, steps: list[tuple[float, float, float]]) -> tuple[Floats, Any]:
    """Return Poisson arrival times in seconds over the steps, and the step of each."""
    times, index, start = [], [], 0.0
    for number, (rate, seconds, _) in enumerate(steps):
        count = rng.poisson(rate * seconds)
        times.append(np.sort(rng.uniform(start, start + seconds, count)))
        index.append(np.full(count, number, np.int16))
        start += seconds
    return np.concatenate(times), np.concatenate(index)


def fifo(due: Floats, held_s: Floats, slots: int) -> Floats:
    """Return when each task starts in a FIFO queue with `slots` servers and equal (per run) service times.

    With one service time the k-th task takes the server of the (k - slots)-th: c independent queues
    G/D/1, each of which is start_k = max(due_k, start_(k-1) + held).
    """
    start = np.empty_like(due)
    changes = np.flatnonzero(np.diff(held_s)) + 1
    for run in np.split(np.arange(len(due)), changes):
        for lane in range(min(slots, len(run)) if len(run) else 0):
            own = run[lane::slots]
            ahead = np.arange(len(own)) * held_s[own]
            start[own] = np.maximum.accumulate(due[own] - ahead) + ahead
    return start


def build(folder: Path, cells: list[Cell], **environment: Any) -> tuple[Campaign, dict[str, Truth]]:
    """Write a campaign of these trials; return it with the truth by trial id."""
    subjects: dict[str, Subject] = {}
    for cell in cells:
        key = f"{cell.strategy}/{cell.variant}"
        known = subjects.get(key)
        subjects[key] = Subject(
            strategy=cell.strategy,
            variant=cell.variant,
            summary=f"a synthetic {cell.strategy}",
            services=(known.services if known else {}) | {cell.kind: cell.service},
            workers=cell.workers,
        )
    plans = [_plan(cell, number) for number, cell in enumerate(cells)]
    manifest = Manifest(
        campaign=folder.name,
        created_at="2025-01-01T00:00:00Z",
        command=["blockpoint", "run", "--profile", "synthetic"],
        profile="synthetic",
        seed=1,
        topology=sorted({cell.topology for cell in cells}),
        loop="uvloop",
        http="httptools",
        subjects=list(subjects.values()),
        plans=plans,
        calibration={},
        pinning={},
        environment=environment
        or {
            "host": {"cpu_model": "Synthetic CPU", "cpu_count": 2, "kernel": "6.1"},
            "python": "3.11.7",
            "packages": {"fastapi": "0.165.0", "celery": "5.6.3", "arq": "0.28.0", "uvicorn": "0.54.0"},
        },
    )
    campaign = create_campaign(folder, manifest)
    truths = {plan.trial_id: _trial(campaign, cell, plan) for cell, plan in zip(cells, plans, strict=True)}
    return campaign, truths


def _plan(cell: Cell, number: int) -> Plan:
    rate, _, duration = cell.steps[0]
    return Plan(
        trial_id=re.sub(r"[/\x00-\x1f\x7f]", "_", f"{number:03d}-{cell.strategy}-{cell.variant}"),
        subject=f"{cell.strategy}/{cell.variant}",
        kind=cell.kind,
        duration_ms=duration,
        scenario=cell.scenario,
        rate_per_s=rate,
        seconds=sum(seconds for _, seconds, _ in cell.steps),
        seed=cell.seed,
        repeat=cell.repeat,
        topology=cell.topology,
        options=["--mix", f"{cell.mix:g}"] if cell.mix else [],
    )


def _held(cell: Cell, duration_ms: float) -> float:
    """Return how long a task holds its slot: what makes the ceiling that of its law."""
    ceiling = saturation_rate(cell.service, cell.kind, duration_ms, 2)
    return _slots(cell) / ceiling if ceiling else 0.0


def _slots(cell: Cell) -> int:
    return 1 if cell.service.law == "loop" else cell.service.slots or 1000


def _trial(campaign: Campaign, cell: Cell, plan: Plan) -> Truth:
    rng = np.random.default_rng(cell.seed)
    parts = FANOUT_PARTS if cell.scenario == "fanout" else 1
    due, step = arrivals(rng, cell.steps)
    durations = np.array([duration for *_, duration in cell.steps])
    lasting = durations[step] * durations_ms(
        1.0, Lasting(cell.cv, cell.mix), len(due), np.random.default_rng(cell.seed)
    )
    service = np.repeat(lasting, parts) / 1000
    held = np.repeat(np.array([_held(cell, duration) for duration in durations])[step], parts)
    accepted = np.repeat(due, parts) + NETWORK_S
    if cell.cv or cell.mix:
        started = varied_fifo(accepted, service, _slots(cell))
    else:
        started = fifo(accepted, held, _slots(cell)) if held.any() else accepted.copy()
    wait = started - accepted
    finished = started + service
    reply = due + 2 * NETWORK_S
    if "accept" in cell.suffers:
        reply = reply + wait[::parts]
    horizon = sum(seconds for _, seconds, _ in cell.steps)
    drained = max(float(finished.max(initial=0)), horizon, float(reply.max(initial=0))) + 0.5
    silent = rng.random(len(due)) < cell.unanswered
    shed = rng.random(len(due)) < cell.shed if cell.shed else np.zeros(len(due), bool)
    ids = np.arange(len(due), dtype=np.uint64) * np.uint64(4) + np.uint64(1_000_000 * (cell.seed + 1))
    task_ids = np.repeat(ids, parts) + (
        np.tile(np.arange(1, parts + 1, dtype=np.uint64), len(due)) if parts > 1 else np.uint64(0)
    )
    staged = campaign.stage(plan.trial_id, 1)
    rows = {
        "requests": write_table(
            staged,
            "requests",
            _answers(due, reply, silent, step, shed)
            | {
                "task_id": ids,
                "duration_ms": lasting,
                "arrival": np.arange(len(due), dtype=np.int32),
            },
        ),
        "bystanders": write_table(staged, "bystanders", _bystanders(rng, cell, accepted, wait, step)),
        "events": write_table(
            staged,
            "events",
            _events(
                rng,
                *(each[~np.repeat(shed, parts)] for each in (task_ids, accepted, started, finished)),
                lost=cell.lost,
            ),
        ),
        "resources": write_table(staged, "resources", _resources(cell, horizon, accepted, finished)),
    }
    steps, start = [], 0.0
    for rate, seconds, duration in cell.steps:
        warm = 0.0 if cell.scenario == "burst" else 0.2 * seconds
        steps.append(
            Step(
                rate_per_s=rate,
                duration_ms=duration,
                from_ns=_ns(start),
                measure_from_ns=_ns(start + warm),
                to_ns=_ns(start + seconds),
            )
        )
        start += seconds
    total = len(due) - int((silent | shed).sum())
    load = Load(
        scenario=cell.scenario,
        closed=cell.closed,
        kind=cell.kind,
        seed=cell.seed,
        arrivals=cell.arrivals,
        cv=cell.cv,
        mix=cell.mix,
        bystander_per_s=cell.bystander_per_s,
        boot_id="one",
        timer="timerfd",
        identity={"strategy": cell.strategy},
        steps=steps,
        drained_ns=_ns(drained),
        scheduled=len(due),
        accepted=total,
        rejected=0,
        refused=0,
        unknown=int((silent & ~shed).sum()),
        shed=int(shed.sum()),
        achieved_ratio=1.0,
        slip_p50_ms=0.05,
        slip_p99_ms=0.2,
        slip_p999_ms=0.5,
        cpu_cores=0.3,
        in_flight_max=40,
    )
    trial = Trial(
        plan=plan,
        started_at="2025-01-01T00:00:00Z",
        boot_id="one",
        ceiling_per_s=saturation_rate(cell.service, cell.kind, plan.duration_ms, 2),
        drained=True,
        drained_ns=_ns(drained),
        foreign_cores=0.01,
        load=load,
        accounts=Accounts(
            accepted=total * parts,
            finished=total * parts - cell.lost,
            failed=0,
            started_twice=0,
            finished_twice=0,
            unaccounted=cell.lost,
            ran_unaccepted=0,
            in_service=0,
            waiting=0,
            strangers=0,
        ),
        rows=rows,
        target_host=cell.host,
        reasons=cell.reasons,
    )
    campaign.seal(staged, trial)
    return Truth(np.repeat(due, parts), wait, service)


def _ns(seconds: Any) -> Any:
    nanoseconds = np.round(np.asarray(seconds) * 1e9).astype(np.int64) + START_NS
    return int(nanoseconds) if nanoseconds.ndim == 0 else nanoseconds


def _answers(due: Floats, reply: Floats, silent: Any, step: Any, shed: Any = False) -> dict[str, Any]:
    open_ended = silent | shed
    unanswered = np.where(shed, int(Outcome.SHED), int(Outcome.UNKNOWN))
    return {
        "step": step.astype(np.int16),
        "due_ns": _ns(due),
        "sent_ns": np.where(shed, NEVER, _ns(due + 0.00005)),
        "replied_ns": np.where(open_ended, NEVER, _ns(reply)),
        "status": np.where(open_ended, 0, 202).astype(np.int16),
        "outcome": np.where(open_ended, unanswered, int(Outcome.ACCEPTED)).astype(np.int8),
        "error": np.where(shed, "shed", np.where(silent, "timed out", "")),
    }


def _bystanders(
    rng: np.random.Generator, cell: Cell, accepted: Floats, wait: Floats, step: Any
) -> dict[str, Any]:
    tables = []
    for stream in (each for each in BYSTANDERS if each in OFFERED_BY_ALL or each.column in cell.suffers):
        name = stream.column
        shape = [(cell.bystander_per_s, seconds, duration) for _, seconds, duration in cell.steps]
        due, own_step = arrivals(rng, shape)
        latency = rng.gamma(4, 0.0003, len(due)) + NETWORK_S
        if name in cell.suffers and len(accepted):
            latency = latency + np.interp(due, accepted, wait)
        columns = _answers(due, due + latency, rng.random(len(due)) < cell.unanswered, own_step)
        tables.append(
            columns
            | {
                "stream": np.full(len(due), int(stream), np.int8),
                "arrival": np.arange(len(due), dtype=np.int32),
            }
        )
    del step
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def _events(
    rng: np.random.Generator, ids: Any, accepted: Floats, started: Floats, finished: Floats, *, lost: int
) -> dict[str, Any]:
    keep = len(ids) - lost
    moments = [
        (Moment.RECEIVED, ids, accepted - NETWORK_S / 2, 0),
        (Moment.ACCEPTED, ids, accepted, 0),
        (Moment.STARTED, ids, started, 1),
        (Moment.FINISHED, ids[:keep], finished[:keep], 1),
    ]
    columns = {
        "task_id": np.concatenate([who for _, who, _, _ in moments]),
        "moment": np.concatenate([np.full(len(who), int(what), np.int8) for what, who, _, _ in moments]),
        "at_ns": np.concatenate([_ns(when) for _, _, when, _ in moments]),
        "attempt": np.concatenate([np.full(len(who), n, np.int16) for _, who, _, n in moments]),
    }
    order = rng.permutation(len(columns["task_id"])) if len(ids) < 50_000 else np.argsort(columns["at_ns"])
    shuffled = {name: values[order] for name, values in columns.items()}
    return shuffled | {"pid": np.full(len(order), 4242, np.int32)}


def _resources(cell: Cell, horizon: float, accepted: Floats, finished: Floats) -> dict[str, Any]:
    at = np.arange(0.1, horizon, 0.2)
    waiting = np.searchsorted(accepted, at) - np.searchsorted(np.sort(finished), at)
    roles = ["web", "generator", "harness"] + (["worker", "broker", "stored"] if cell.workers else [])
    cores = {"web": 0.35, "worker": 0.5, "broker": 0.08, "stored": 0.0, "generator": 0.2, "harness": 0.05}
    memory = {
        "web": 90,
        "worker": 140,
        "broker": 12,
        "stored": 2 + cell.repeat,
        "generator": 110,
        "harness": 130,
    }
    n = len(at)
    return {
        "at_ns": np.tile(_ns(at), len(roles)),
        "role": np.repeat(np.array(roles), n),
        "processes": np.ones(n * len(roles), np.int16),
        "cpu_cores": np.repeat([cores[role] for role in roles], n),
        "rss_bytes": np.repeat([memory[role] * 2**20 for role in roles], n).astype(np.int64),
        "queue_depth": np.concatenate(
            [waiting if role == "broker" else np.full(n, NEVER) for role in roles]
        ).astype(np.int64),
        "loop_lag_ns": np.repeat([2_000_000 if role == "web" else NEVER for role in roles], n).astype(
            np.int64
        ),
        "pool_in_use": np.repeat([5 if role == "web" else NEVER for role in roles], n).astype(np.int32),
    }


def amend(campaign: Campaign, /, **changes: object) -> None:
    """Let a campaign's manifest say something else."""
    write_document(campaign.folder / MANIFEST, msgspec.structs.replace(campaign.manifest, **changes))
    seal(campaign.folder, [MANIFEST])
