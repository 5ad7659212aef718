"""The tidy summary: one row a step of a trial, everything that the charts and the words are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.queueing import saturation_rate, utilisation
from analysis.stats import Percentile, block_interval, censored_percentile
from analysis.trials import backlog, slowness
from analysis.trials.generators import generated
from analysis.trials.load import Frames
from analysis.trials.questions import judged
from results.findings import Noise
from results.load import Load, Step
from results.percentile import percentile
from results.schema import Manifest, Service, Subject, Trial
from results.terms import BYSTANDERS, KINDS_RECORDED, NEVER, Outcome, Stream, pattern_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ROLES: Final = ("web", "worker", "broker", "generator")
_OF_THE_BACKLOG: Final = (
    "completion_slope_per_s",
    *(f"backlog_{part}" for part in ("growth", "growth_low", "growth_high", "mean", "end")),
)
_EVERY: Final = ("queue_wait", "service", "completion")
_UNANSWERED: Final = (Outcome.UNKNOWN, Outcome.REFUSED, Outcome.SHED)


def summarise(frames: Frames, manifest: Manifest, *, p99_intervals: bool = True) -> pd.DataFrame:
    """Return one row for each step of a trial; rows due in a step's warm-up are cut.

    Names carry their unit. A percentile `x_p99_ms` has a flag `x_p99_at_least` beside it: some of its
    samples never ended and count with the lower bound that is known of them, so that the true value may
    be higher. Invalid trials are here too (`valid` False, with `reasons`), for the reader to leave out.
    Without `p99_intervals` those of the percentiles are NaN, which no verdict reads, in a tenth of the time.
    """
    rows = [_row(frames, manifest, i, p99_intervals) for i in range(len(frames.trial.load.steps))]
    return pd.DataFrame(rows)


def _row(frames: Frames, manifest: Manifest, index: int, p99_intervals: bool) -> dict[str, Any]:
    trial, subject = frames.trial, frames.subject
    plan, load = trial.plan, trial.load
    step = load.steps[index]
    parts = pattern_of(load.scenario).parts
    seconds = _seconds(step)
    offered = step.rate_per_s * parts
    service = _service(frames)
    ceiling = _ceiling(frames, manifest, step)
    tasks = frames.tasks[_window(frames.tasks, index, step)]
    row = (
        {
            "trial_id": plan.trial_id,
            "attempt": trial.attempt,
            "repeat": plan.repeat,
            "strategy": subject.strategy,
            "variant": subject.variant,
            "kind": load.kind,
            "duration_ms": step.duration_ms,
            "topology": plan.topology,
            "scenario": load.scenario,
            "closed": load.closed,
            "step": index,
            "seconds": seconds,
            "offered_per_s": offered,
            "ceiling_per_s": np.nan if ceiling is None else ceiling,
            "rho": np.nan if ceiling is None else utilisation(offered, ceiling),
            "slots": service.slots if service else 0,
            "web_processes": manifest.web_processes,
            "busiest_web_share": trial.spread[0] / max(sum(trial.spread), 1) if trial.spread else np.nan,
            "valid": trial.valid,
            "reasons": "; ".join(trial.reasons),
            "stopped_early": trial.stopped_early,
            "slip_p99_ms": load.slip_p99_ms,
            "load_s": (step.to_ns - step.from_ns) / 1e9,
        }
        | generated(load.generators, trial.target_host)
        | _counts(tasks, parts, seconds)
        | _throughput(frames.tasks, step, seconds, load.followed_every)
        | _accept(tasks.iloc[::parts], seconds, manifest.limit_ms, p99_intervals)
        | _bystanders(frames, index, step, manifest.limit_ms, p99_intervals)
        | _work(_followed(tasks, load), trial.drained_ns, _seen(subject))
        | _lengths(tasks, step, load, trial.drained_ns)
        | _backlog(_followed(frames.tasks, load), step, offered / load.followed_every, frames, service)
        | _resources(frames.resources, step)
        | {"unaccounted": trial.accounts.unaccounted if subject.completions == "ledger" else 0}
        | _noise(trial)
    )
    return row | judged(row, manifest.limit_ms)


def _seconds(step: Step) -> float:
    return (step.to_ns - step.measure_from_ns) / 1e9


def _service(frames: Frames) -> Service | None:
    """Return how the trial's tasks were served; a manifest knows that of the first topology only."""
    return frames.trial.service or frames.subject.services.get(frames.trial.load.kind)


def _noise(trial: Trial) -> dict[str, Any]:
    """Return what others took, NaN where nobody looked, and which campaigns measured beside the trial."""
    noise = trial.noise or Noise(foreign_cores=trial.foreign_cores)
    names = ("foreign_cores", "steal_cores", "hiccup_p99_ms")
    taken = {name: np.nan if (value := getattr(noise, name)) is None else value for name in names}
    return taken | {"company": "; ".join(noise.company)}


def _ceiling(frames: Frames, manifest: Manifest, step: Step) -> float | None:
    """Return the ceiling in tasks/s: the trial's own, else (a sweep's other durations) that of the law."""
    plan, kind = frames.trial.plan, frames.trial.load.kind
    if step.duration_ms == plan.duration_ms:
        return frames.trial.ceiling_per_s
    service = _service(frames)
    cores = usable_cores(manifest, plan.topology, "worker" if frames.subject.workers else "web")
    return (
        saturation_rate(service, kind, step.duration_ms, cores, frames.trial.load.lasting)
        if service
        else None
    )


def usable_cores(manifest: Manifest, topology: str, role: str) -> int:
    """Return how many cores may run tasks: those the role is pinned to, else all of the machine's."""
    pinned = manifest.pinning.get(topology)
    cores = pinned.get(role) if isinstance(pinned, dict) else None
    host = manifest.environment.get("host")
    count = host.get("cpu_count") if isinstance(host, dict) else None
    if isinstance(cores, list | tuple) and cores:
        return len(cores)
    return count if isinstance(count, int) and count > 0 else 1


def _window(rows: pd.DataFrame, index: int, step: Step) -> Mask:
    due = rows["due_ns"].to_numpy()
    inside: Mask = (rows["step"].to_numpy() == index) & (due >= step.measure_from_ns) & (due < step.to_ns)
    return inside


def _counts(tasks: pd.DataFrame, parts: int, seconds: float) -> dict[str, Any]:
    outcome = tasks["outcome"].to_numpy()
    finished = tasks["finished_ns"].to_numpy() != NEVER
    failed = (tasks["failed_ns"].to_numpy() != NEVER) & ~finished
    accepted = outcome == Outcome.ACCEPTED
    sent = int((outcome != Outcome.SHED).sum())
    return {
        "due": len(tasks),
        "achieved": sent / len(tasks) if len(tasks) else np.nan,
        "due_per_s": len(tasks) / seconds if seconds else np.nan,
        "requests": len(tasks) // parts,
        "accepted": int(accepted.sum()),
        "rejected": int((outcome == Outcome.REJECTED).sum()),
        "refused": int((outcome == Outcome.REFUSED).sum()),
        "unknown": int((outcome == Outcome.UNKNOWN).sum()),
        "shed": int((outcome == Outcome.SHED).sum()),
        "finished": int((finished & accepted).sum()),
        "failed": int((failed & accepted).sum()),
        "retried": int((tasks["attempts"].to_numpy() > 1).sum()),
    }


def _seen(subject: Subject) -> tuple[str, ...]:
    """Return the intervals of a task whose ends are seen."""
    end = ("completion",)
    return {"ledger": _EVERY, "poll": end, "webhook": end, "none": ()}[subject.completions]


def _followed(tasks: pd.DataFrame, load: Load) -> pd.DataFrame:
    """Return the tasks that were followed to their end."""
    every = load.followed_every
    return tasks if every == 1 else tasks[tasks["arrival"].to_numpy() % every == 0]


def _throughput(tasks: pd.DataFrame, step: Step, seconds: float, every: int) -> dict[str, Any]:
    finished = tasks["finished_ns"].to_numpy()
    inside = (finished >= step.measure_from_ns) & (finished < step.to_ns)
    return {"completed_per_s": every * inside.sum() / seconds if seconds else np.nan}


def _accept(requests: pd.DataFrame, seconds: float, limit_ms: float, p99_intervals: bool) -> dict[str, Any]:
    """Rejected requests are counted elsewhere: a quick refusal must not make accepting look quick."""
    return _answers(
        Stream.TASKS,
        requests,
        requests["accept_ms"].to_numpy(),
        seconds,
        limit_ms,
        p99_intervals=p99_intervals,
    )


def _bystanders(
    frames: Frames, index: int, step: Step, limit_ms: float, p99_intervals: bool
) -> dict[str, Any]:
    rows = frames.bystanders[_window(frames.bystanders, index, step)]
    columns: dict[str, Any] = {}
    for stream in BYSTANDERS:
        own = rows[rows["stream"].to_numpy() == stream]
        columns |= _answers(
            stream, own, own["latency_ms"].to_numpy(), _seconds(step), limit_ms, p99_intervals=p99_intervals
        )
    return columns


def _answers(
    stream: Stream,
    rows: pd.DataFrame,
    latency_ms: Floats,
    seconds: float,
    limit_ms: float,
    *,
    p99_intervals: bool,
) -> dict[str, Any]:
    """Return a stream's percentiles, the interval of its p99, its number of requests and its slow spells."""
    name = stream.column
    answered, open_ended = _answered(rows, latency_ms)
    columns = _percentiles(name, latency_ms[answered], rows["bound_ms"].to_numpy()[open_ended])
    known = _known(rows, latency_ms)
    low, high = block_interval(known.latency_ms, 99) if p99_intervals else (np.nan, np.nan)
    columns |= {f"{name}_p99_low_ms": low, f"{name}_p99_high_ms": high, f"{name}_n": len(known.due_s)}
    return columns | _spells(stream, known, seconds, limit_ms)


def _answered(rows: pd.DataFrame, latency_ms: Floats) -> tuple[Mask, Mask]:
    """Return which requests were accepted, and which are known only to have waited for so long."""
    outcome = rows["outcome"].to_numpy()
    return (outcome == Outcome.ACCEPTED) & ~np.isnan(latency_ms), np.isin(outcome, _UNANSWERED)


@dataclass(frozen=True)
class _Known:
    """The requests of a stream of which something is known, in the order in which they were due."""

    due_s: Floats
    latency_ms: Floats
    """of those without an answer the time for which they are known to have waited"""
    slip_ms: Floats


def _known(rows: pd.DataFrame, latency_ms: Floats) -> _Known:
    answered, open_ended = _answered(rows, latency_ms)
    known = answered | open_ended
    samples: Floats = np.where(open_ended, rows["bound_ms"].to_numpy(), latency_ms)[known]
    return _Known(rows["due_ns"].to_numpy()[known] / 1e9, samples, _slip_ms(rows)[known])


def _spells(stream: Stream, known: _Known, seconds: float, limit_ms: float) -> dict[str, Any]:
    seen = slowness.observe(known.due_s, known.latency_ms, seconds, limit_ms, known.slip_ms)
    return slowness.columns(stream, seen)


def slow_spells(frames: Frames, index: int, limits_ms: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Yield for each limit the columns of slow spells that a step's row of the summary has under it."""
    load = frames.trial.load
    step = load.steps[index]
    tasks = frames.tasks[_window(frames.tasks, index, step)].iloc[:: pattern_of(load.scenario).parts]
    others = frames.bystanders[_window(frames.bystanders, index, step)]
    streams = {Stream.TASKS: _known(tasks, tasks["accept_ms"].to_numpy())}
    for stream in BYSTANDERS:
        own = others[others["stream"].to_numpy() == stream]
        streams[stream] = _known(own, own["latency_ms"].to_numpy())
    for limit_ms in limits_ms:
        columns: dict[str, Any] = {}
        for which, known in streams.items():
            columns |= _spells(which, known, _seconds(step), limit_ms)
        yield columns


def _slip_ms(rows: pd.DataFrame) -> Floats:
    due_ns, sent_ns = rows["due_ns"].to_numpy(), rows["sent_ns"].to_numpy()
    return np.where(sent_ns == NEVER, 0, sent_ns - due_ns) / 1e6


def _work(tasks: pd.DataFrame, drained_ns: int, seen: tuple[str, ...]) -> dict[str, Any]:
    """Return queue wait, service and completion of the tasks that were accepted and did not fail."""
    failed = (tasks["failed_ns"].to_numpy() != NEVER) & (tasks["finished_ns"].to_numpy() == NEVER)
    kept = tasks[(tasks["outcome"].to_numpy() == Outcome.ACCEPTED) & ~failed]
    columns: dict[str, Any] = {}
    for name, since in (("queue_wait", "accepted_ns"), ("service", "started_ns"), ("completion", "due_ns")):
        values = kept[f"{name}_ms"].to_numpy()
        start = kept[since].to_numpy()
        open_ended = np.isnan(values) & (start != NEVER) & (name in seen)
        bounds = np.maximum(drained_ns - start[open_ended], 0) / 1e6
        columns |= _percentiles(name, values[~np.isnan(values)], bounds)
    return columns


def _lengths(tasks: pd.DataFrame, step: Step, load: Load, drained_ns: int) -> dict[str, Any]:
    """Return the same of the short and of the long tasks of a mix, apart."""
    if not load.mix:
        return {}
    long = tasks["duration_ms"].to_numpy() > step.duration_ms
    parts = {"short": tasks[~long], "long": tasks[long]}
    return {
        f"{name}_{column}": value
        for name, own in parts.items()
        for column, value in _work(own, drained_ns, _EVERY).items()
    }


def _percentiles(name: str, values: Floats, bounds: Floats) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for p in (50, 99):
        found: Percentile = censored_percentile(values, bounds, p)
        columns |= {f"{name}_p{p}_ms": found.value, f"{name}_p{p}_at_least": found.at_least}
    return columns


def _backlog(
    tasks: pd.DataFrame, step: Step, tasks_per_s: float, frames: Frames, service: Service | None
) -> dict[str, Any]:
    load = frames.trial.load
    if frames.subject.completions == "none":
        return dict.fromkeys(_OF_THE_BACKLOG, np.nan) | {"behind": False, "behind_certain": False}
    tick_s = service.poll_s if service else 0.0
    held = KINDS_RECORDED[load.kind].held
    found = backlog.measure(tasks, step, tasks_per_s, held=held, tick_s=tick_s, lasting=load.lasting)
    return {
        "completion_slope_per_s": load.followed_every * backlog.completion_slope(tasks, step),
        "backlog_growth": found.growth,
        "backlog_growth_low": found.growth_low,
        "backlog_growth_high": found.growth_high,
        "backlog_mean": found.mean,
        "backlog_end": found.end,
        "behind": found.behind,
        "behind_certain": found.certain,
    }


def _resources(rows: pd.DataFrame, step: Step) -> dict[str, Any]:
    at = rows["at_ns"].to_numpy()
    rows = rows[(at >= step.measure_from_ns) & (at < step.to_ns)]
    role = rows["role"].to_numpy()
    columns: dict[str, Any] = {}
    for name in (*ROLES, "harness"):
        own = rows[role == name]
        seen = own["processes"].any()  # a broker elsewhere has no process here
        columns[f"{name}_cpu_cores"] = own["cpu_cores"].mean() if seen else np.nan
        columns[f"{name}_rss_mib"] = own["rss_bytes"].max() / 2**20 if seen else np.nan
    stored = rows["rss_bytes"].to_numpy()[role == "stored"]
    columns["broker_used_mib"] = stored.max() / 2**20 if len(stored) else np.nan
    web = rows[role == "web"]
    lag = web["loop_lag_ns"].to_numpy()
    columns["loop_lag_max_ms"] = percentile(lag[lag != NEVER] / 1e6, 100)
    columns["pool_in_use_max"] = web["pool_in_use"].max() if len(web) else np.nan
    return columns
