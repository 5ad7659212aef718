"""One simulated trial, ended early and summarised by the project's own code."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.trials.load import Frames, intervals
from analysis.trials.summary import summarise
from benchmarks.coverage.target import Run, Target, run
from harness.trial.early_stop import WARM_UP_SHARE, Watch
from results.findings import Accounts
from results.load import Load, Step
from results.schema import Manifest, Plan, Service, Trial
from results.terms import NEVER, Outcome, Stream
from results.traffic import Traffic

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOOK_S: Final = 0.1
HOPELESS_DRAIN_S: Final = 1.0
SLIP_MS: Final = 0.2
BOOT: Final = "simulated"
_FIRST_NS: Final = 1_000_000_000
"""the schedule's start: moments before it are not `NEVER`"""


def simulate(
    target: Target, plan: Plan, rates_per_s: Sequence[float], manifest: Manifest, drain_s: float
) -> list[dict[str, Any]]:
    """Send a target what is planned; return a row of the summary for each of the rates, equally long steps.

    A single rate is ended as soon as the early stop has seen enough.
    """
    step_s = plan.seconds / len(rates_per_s)
    warm_up_s = WARM_UP_SHARE * step_s
    seen = run(target, rates_per_s, plan.bystander_per_s, step_s, seed=plan.seed, warm_up_s=warm_up_s)
    looks = len(rates_per_s) == 1 and target.traffic.even and not plan.whole
    to_s, why = _stopped(seen, plan, manifest.limit_ms) if looks else (plan.seconds, "")
    drained_s = to_s + (HOPELESS_DRAIN_S if why else drain_s)
    service = manifest.subject(plan.subject).services.get(plan.kind)
    begins = [number * step_s for number in range(len(rates_per_s))]
    ends = [*begins[1:], to_s]
    steps = [
        _step(rate, plan, (begin, begin + warm_up_s, end))
        for rate, begin, end in zip(rates_per_s, begins, ends, strict=True)
    ]
    trial = _trial(plan, service, steps, drained_s, why)
    tasks, bystanders = (
        rows(seen, to_s, drained_s).assign(
            step=lambda own: np.searchsorted(_ns(np.array(begins)), own["due_ns"], side="right") - 1
        )
        for rows in (_tasks, _bystanders)
    )
    frames = Frames(trial, manifest.subject(plan.subject), tasks, bystanders, _no_resources())
    told = summarise(frames, manifest, p99_intervals=False).to_dict("records")
    return [
        {str(name): value for name, value in row.items()}
        | {"web_cpu_cores": target.core_at(rate, plan.bystander_per_s)}
        for rate, row in zip(rates_per_s, told, strict=True)
    ]


def _step(rate_per_s: float, plan: Plan, moments_s: tuple[float, float, float]) -> Step:
    from_ns, warm_ns, to_ns = (round(each * 1e9) + _FIRST_NS for each in moments_s)
    return Step(
        rate_per_s=rate_per_s,
        duration_ms=plan.duration_ms,
        from_ns=from_ns,
        measure_from_ns=warm_ns,
        to_ns=to_ns,
    )


def _stopped(seen: Run, plan: Plan, limit_ms: float) -> tuple[float, str]:
    """Return when the load ended, and why it did before its schedule."""
    settled_ms = Traffic.of(plan.options).settled_ms(plan.duration_ms)
    watch = Watch(plan.rate_per_s, plan.seconds, settled_ms, limit_ms, plan.bystander_per_s)
    began, ended = np.sort(seen.read_s), np.sort(seen.ended_s)
    for at_s in np.arange(0, plan.seconds, LOOK_S).tolist():
        counts = (int(np.searchsorted(moments, at_s)) for moments in (began, ended))
        if why := watch.look(at_s, *counts):
            return at_s, why
    return plan.seconds, ""


def _tasks(seen: Run, to_s: float, drained_s: float) -> pd.DataFrame:
    sent = seen.due_s < to_s
    moments = {
        "due_ns": _ns(seen.due_s[sent]),
        "sent_ns": _ns(seen.due_s[sent]),
        "replied_ns": _until(seen.replied_s[sent], drained_s),
        "accepted_ns": _until(seen.read_s[sent], drained_s),
        "started_ns": _until(seen.started_s[sent], drained_s),
        "finished_ns": _until(seen.ended_s[sent], drained_s),
    }
    moments["failed_ns"] = np.full(len(moments["due_ns"]), NEVER, np.int64)
    tasks = pd.DataFrame(_outcomes(moments, drained_s) | intervals(moments))
    return tasks.assign(attempts=(tasks["started_ns"] != NEVER).astype(np.int16))


def _bystanders(seen: Run, to_s: float, drained_s: float) -> pd.DataFrame:
    streams = (
        (Stream.PING, seen.ping_due_s, seen.ping_replied_s),
        (Stream.PING_SYNC, seen.sync_due_s, seen.sync_replied_s),
    )
    tables = []
    for stream, due_s, replied_s in streams:
        sent = due_s < to_s
        moments = {
            "due_ns": _ns(due_s[sent]),
            "sent_ns": _ns(due_s[sent]),
            "replied_ns": _until(replied_s[sent], drained_s),
        }
        tables.append(pd.DataFrame(_outcomes(moments, drained_s)).assign(stream=int(stream)))
    rows = pd.concat(tables, ignore_index=True)
    latency = (rows["replied_ns"] - rows["due_ns"]) / 1e6
    return rows.assign(latency_ms=latency.where(rows["replied_ns"] != NEVER))


def _outcomes(moments: dict[str, Ints], drained_s: float) -> dict[str, Any]:
    answered = moments["replied_ns"] != NEVER
    return moments | {
        "outcome": np.where(answered, int(Outcome.ACCEPTED), int(Outcome.UNKNOWN)).astype(np.int8),
        "bound_ms": np.maximum(_ns(np.array(drained_s)) - moments["due_ns"], 0) / 1e6,
    }


def _until(at_s: Floats, drained_s: float) -> Ints:
    return np.where(at_s < drained_s, _ns(at_s), NEVER)


def _ns(at_s: Floats) -> Ints:
    return np.round(at_s * 1e9).astype(np.int64) + _FIRST_NS


def _trial(plan: Plan, service: Service | None, steps: list[Step], drained_s: float, why: str) -> Trial:
    drained_ns = round(drained_s * 1e9) + _FIRST_NS
    traffic = Traffic.of(plan.options)
    load = Load(
        scenario=plan.scenario,
        kind=plan.kind,
        seed=plan.seed,
        arrivals=traffic.arrivals,
        cv=traffic.cv,
        bystander_per_s=plan.bystander_per_s,
        boot_id=BOOT,
        timer="simulated",
        identity={},
        steps=steps,
        drained_ns=drained_ns,
        achieved_ratio=1.0,
        slip_p50_ms=SLIP_MS / 2,
        slip_p99_ms=SLIP_MS,
        slip_p999_ms=SLIP_MS,
        cpu_cores=0.1,
        in_flight_max=0,
        scheduled=0,
        accepted=0,
        rejected=0,
        refused=0,
        unknown=0,
        shed=0,
    )
    return Trial(
        plan=plan,
        started_at="",
        boot_id=BOOT,
        ceiling_per_s=service.slots / plan.duration_ms * 1000 if service else None,
        drained=not why,
        drained_ns=drained_ns,
        stopped_early=why,
        service=service,
        load=load,
        accounts=_accounts(),
        rows={},
    )


def _accounts() -> Accounts:
    names = (
        "accepted",
        "finished",
        "failed",
        "in_service",
        "waiting",
        "unaccounted",
        "started_twice",
        "finished_twice",
        "ran_unaccepted",
        "strangers",
    )
    return Accounts(**dict.fromkeys(names, 0))


def _no_resources() -> pd.DataFrame:
    columns = ("at_ns", "processes", "cpu_cores", "rss_bytes", "loop_lag_ns", "pool_in_use")
    return pd.DataFrame({name: np.empty(0) for name in columns} | {"role": np.empty(0, str)})
