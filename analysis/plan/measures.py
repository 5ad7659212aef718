"""What a campaign's trials say that a plan needs: costs, overheads, and up to which rate the API was fast."""

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from analysis.queueing.blocking import OVERHEAD_MS
from analysis.trials.points import at_rates
from results.percentile import percentile
from results.roles import OF_THE_TARGET
from results.schema import Manifest, Service
from results.terms import OFFERED_BY_ALL, Stream

RESAMPLES: Final = 200
HAND_OVER_MS: Final = 0.3
"""until a slot has its next task, see `OVERHEAD_MS`"""
_QUIET_RHO: Final = 0.5
"""up to which share of its ceiling a wait is no queue's"""
_SHORTEST_MS: Final = 0.01
_FEWEST: Final = 3
"""steps by which a line is laid"""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the processes of one role take."""

    role: str
    task_ms: tuple[float, float, float]
    """processor time of a task: the middle of a 95 % interval between its ends"""
    idle_cores: float
    """in use where nothing comes"""
    memory_mib: float
    """of all its processes"""


class Overhead(msgspec.Struct, frozen=True, kw_only=True):
    """For how long a task holds its slot beyond its duration: what it took longer, and the hand-over."""

    duration_ms: float
    overhead_ms: float
    trial_id: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the API was at one rate: of the requests that share no queue with the tasks."""

    rate_per_s: float
    p99_ms: float
    trial_id: str


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One subject with one kind of task under one topology."""

    subject: str
    kind: str
    topology: str
    service: Service
    web_processes: int
    workers: int
    """processes started beside the web process; 0: the tasks run in that"""
    adjustable: bool
    """its slots are a setting"""
    durations_ms: list[float]
    highest_per_s: float
    """the highest rate that was offered in a valid trial"""
    start_ms: float
    """within which 99 of 100 tasks started where no queue was; NaN where that was not seen"""
    costs: list[Cost]
    overheads: list[Overhead]
    answered: list[Answered]
    trials: list[str]
    """on which the costs rest"""

    def cost(self, role: str) -> Cost | None:
        """Return what a role takes; None where it has no process."""
        return next((each for each in self.costs if each.role == role), None)

    def overhead(self, duration_ms: float) -> Overhead | None:
        """Return the overhead seen with tasks of the nearest duration, by ratio."""
        return min(self.overheads, key=lambda each: abs(np.log(each.duration_ms / duration_ms)), default=None)

    def overhead_ms(self, duration_ms: float) -> float:
        """Return the overhead, where none was seen that of theory."""
        found = self.overhead(duration_ms)
        return found.overhead_ms if found else OVERHEAD_MS


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What one campaign says."""

    campaign: str
    cores: int
    """that its targets had"""
    limit_ms: float
    python: str
    cpu_model: str
    subjects: list[Measure]


def _apart(first_ms: float, second_ms: float) -> float:
    """Return how far apart two durations are, by ratio; no-ops count as very short."""
    return abs(math.log(max(first_ms, _SHORTEST_MS) / max(second_ms, _SHORTEST_MS)))


def measures(summary: pd.DataFrame, manifest: Manifest) -> Measures:
    """Return what valid trials at fixed rates say of each subject."""
    rows = at_rates(summary[~summary["closed"].astype(bool) & summary["valid"].astype(bool)])
    keys = ["strategy", "variant", "kind", "topology"]
    cpu_model, python = processor_and_python(manifest)
    return Measures(
        campaign=manifest.campaign,
        cores=target_cores(manifest),
        limit_ms=manifest.limit_ms,
        python=python,
        cpu_model=cpu_model,
        subjects=[_measure(key, own, manifest) for key, own in rows.groupby(keys, sort=False)],
    )


def target_cores(manifest: Manifest) -> int:
    """Return how many cores the target had in all, under the first topology."""
    used = {core for role in OF_THE_TARGET for core in manifest.cores(manifest.topology[0], role)}
    return len(used) or int(manifest.part("host").get("cpu_count") or 1)


def processor_and_python(manifest: Manifest) -> tuple[str, str]:
    """Return the model of the processor and the version of Python; empty where nobody knows."""
    host, python = (manifest.part(name) for name in ("host", "python"))
    return str(host.get("cpu_model", "")), str(python.get("version", ""))


def _measure(key: tuple[Any, ...], own: pd.DataFrame, manifest: Manifest) -> Measure:
    strategy, variant, kind, topology = key
    subject = manifest.subject(f"{strategy}/{variant}")
    service = subject.services[kind]
    peaceful = own[~own["behind"].astype(bool) & (own["completed_per_s"] > 0)]
    return Measure(
        subject=subject.key,
        kind=kind,
        topology=topology,
        service=service,
        web_processes=manifest.web_processes,
        workers=subject.workers,
        adjustable=service.slots > 1 and service.slots == manifest.slots,
        durations_ms=sorted(set(own["duration_ms"])),
        highest_per_s=float(own["offered_per_s"].max()),
        start_ms=_start_ms(peaceful),
        costs=list(costs(peaceful, "completed_per_s")),
        overheads=list(_overheads(peaceful)),
        answered=list(_answers(own, service)),
        trials=list(dict.fromkeys(peaceful["trial_id"])),
    )


def _start_ms(peaceful: pd.DataFrame) -> float:
    rho = peaceful["rho"]
    quiet = peaceful[(rho.isna() | (rho <= _QUIET_RHO)) & peaceful["queue_wait_p99_ms"].notna()]
    return float(quiet["queue_wait_p99_ms"].median())


def costs(peaceful: pd.DataFrame, rate: str) -> Iterator[Cost]:
    """Yield what each role takes for a task, by the column that holds the tasks a second."""
    for role in OF_THE_TARGET:
        seen = peaceful[peaceful[f"{role}_cpu_cores"].notna()]
        if len(seen):
            idle, task_ms = _line(seen, role, rate)
            yield Cost(
                role=role,
                task_ms=task_ms,
                idle_cores=idle,
                memory_mib=float(seen[f"{role}_rss_mib"].median()),
            )


def _line(seen: pd.DataFrame, role: str, rate: str) -> tuple[float, tuple[float, float, float]]:
    """Return the cores in use at rest, and what each task adds in ms with its interval.

    A line through cores against tasks a second; its interval by a bootstrap of trials, whose steps are not
    independent of each other.
    """
    done = seen[rate].to_numpy(float)
    cores = seen[f"{role}_cpu_cores"].to_numpy(float)
    trial = pd.factorize(seen["trial_id"])[0]
    idle, slope = _fit(done, cores)
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, trial.max() + 1, trial.max() + 1)
        place = np.concatenate([np.flatnonzero(trial == each) for each in drawn])
        slopes.append(_fit(done[place], cores[place])[1])
    low, high = (percentile(np.array(slopes), each) for each in (2.5, 97.5))
    return idle, (1000 * min(low, slope), 1000 * slope, 1000 * max(high, slope))


def _fit(done: Any, cores: Any) -> tuple[float, float]:
    """Return intercept and slope, neither below 0; through the origin where few steps tell."""
    through = float((done @ cores) / (done @ done))
    if len(done) < _FEWEST or np.ptp(done) == 0:
        return 0.0, through
    slope, idle = np.polyfit(done, cores, 1)
    return (0.0, through) if idle < 0 or slope < 0 else (float(idle), float(slope))


def _overheads(peaceful: pd.DataFrame) -> Iterator[Overhead]:
    """Yield by duration what the median task took at the highest rate that its subject kept up with."""
    for _, rows in peaceful[peaceful["service_p50_ms"].notna()].groupby("duration_ms"):
        busiest = rows.iloc[int(rows["offered_per_s"].to_numpy(float).argmax())]
        duration_ms = float(busiest["duration_ms"])
        longer_ms = float(busiest["service_p50_ms"]) - duration_ms
        yield Overhead(
            duration_ms=duration_ms,
            overhead_ms=max(longer_ms + HAND_OVER_MS, OVERHEAD_MS),
            trial_id=str(busiest["trial_id"]),
        )


def _answers(own: pd.DataFrame, service: Service) -> Iterator[Answered]:
    streams = [each for each in (Stream.TASKS, *OFFERED_BY_ALL) if each.column not in service.shares]
    columns = [f"{each.column}_p99_ms" for each in streams]
    if not columns:
        return
    for row in own.sort_values("offered_per_s").to_dict("records"):
        slowest = max((float(row[name]) for name in columns if np.isfinite(row[name])), default=np.nan)
        if np.isfinite(slowest):
            yield Answered(
                rate_per_s=float(row["offered_per_s"]), p99_ms=slowest, trial_id=str(row["trial_id"])
            )
