"""What theory says of each trial on its own schedule, beside what was measured."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.queueing.replay import fifo_servers, replay
from analysis.queueing.waits import mdc_wait, mmc_wait
from analysis.trials.cores import usable_cores
from analysis.trials.load import Frames
from analysis.trials.outstanding import ended_ns
from results.percentile import percentile
from results.schema import Manifest, Service
from results.terms import BYSTANDERS, NEVER, Outcome, Stream, pattern_of

Floats = npt.NDArray[np.float64]

QUANTITIES: Final = {
    "completed_per_s": "completed",
    "queue_wait_p99_ms": "queue wait p99",
    "completion_p99_ms": "completion p99",
    **{f"{stream.column}_p99_ms": f"{stream.latency} p99" for stream in Stream},
}
WITHIN: Final = 0.2
"""a prediction agrees within this share of the measured value"""
NOISE_MS: Final = 10.0
"""... or within this time, which no law of queues speaks about: parsing, a publish, a busy core"""
_QUEUED: Final = (Outcome.ACCEPTED, Outcome.UNKNOWN)
_IDENTITY: Final = [
    "trial_id",
    "attempt",
    "repeat",
    "strategy",
    "variant",
    "kind",
    "duration_ms",
    "topology",
    "scenario",
    "step",
    "valid",
    "offered_per_s",
    "due_per_s",
    "ceiling_per_s",
    "rho",
    "slots",
]
COLUMNS: Final = [
    *_IDENTITY,
    "held_ms",
    "mmc_wait_p99_ms",
    "mdc_wait_p99_ms",
    *(f"{part}_{name}" for name in QUANTITIES for part in ("predicted", "measured", "ratio", "agrees")),
]
_MOST_SERVERS: Final = 1_000
"""of which the steady state is computed: its equations fill a matrix of three times as many rows"""
_FEWEST: Final = 20
"""tasks that must have waited before a hand-over is believed"""


def predict(frames: Frames, manifest: Manifest, summary: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each step of an open-loop trial: identity, and theory beside measurement.

    `summary` has the trial's rows of `summary.summarise`. For each of `QUANTITIES`: `predicted_x`,
    `measured_x`, `ratio_x` (predicted over measured) and `agrees_x` (within 20 % or 10 ms; a measured lower
    bound may be exceeded). NaN where theory is silent: computing kinds in more threads than cores, streams
    that do not wait with the tasks, the queue wait of a loop (its tasks wait before they are accepted).

    The queue is followed on the trial's own due times, so that chance in the schedule is no error of theory.
    `held_ms` is how long a task holds its server, fitted at load: the mean service time of the step (with
    the median, waits at rho = 0.9 come out 20 % too short: a few slow tasks cost all that are behind them)
    and the hand-over from one task to the next (see `_hand_over_ms`). `completed_per_s` counts the tasks that
    were followed; it is min(due rate, ceiling) where no queue can be. `mmc_wait_p99_ms` and `mdc_wait_p99_ms`
    are the steady state's at the rate that was due, infinite from saturation on, and NaN for traffic of
    another law than Poisson arrivals of equally long tasks. Closed loops and fan-outs,
    whose parts follow each other, have no row.
    """
    load = frames.trial.load
    service = frames.trial.service or frames.subject.services.get(load.kind)
    if load.closed or pattern_of(load.scenario).parts > 1 or service is None:
        return pd.DataFrame(columns=COLUMNS)
    cores = usable_cores(manifest, frames.trial.plan.topology, "worker" if frames.subject.workers else "web")
    servers = fifo_servers(service, load.kind, cores)
    held_ms = _held_ms(frames, service, servers)
    steady_servers = servers if load.arrivals == "poisson" and not load.lasting else None
    followed = None if servers is None else _follow(frames, service, servers, held_ms)
    rows = []
    for (_, measured), step, held in zip(summary.iterrows(), load.steps, held_ms, strict=True):
        predicted = {"completed_per_s": float(np.fmin(measured["due_per_s"], measured["ceiling_per_s"]))}
        if followed is not None:
            predicted |= followed.between(step.measure_from_ns, step.to_ns)
        rows.append(
            {name: measured[name] for name in _IDENTITY}
            | {"held_ms": held}
            | _steady_state(service, steady_servers, float(measured["due_per_s"]), held / 1000)
            | _compared(predicted, measured)
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def agreement(predictions: pd.DataFrame, name: str) -> pd.Series:
    """Return, for the valid rows in which theory says something of a quantity, whether it agrees."""
    pair = predictions[[f"predicted_{name}", f"measured_{name}"]]
    known = predictions["valid"].astype(bool) & pair.notna().all(axis=1)
    return predictions.loc[known, f"agrees_{name}"].astype(bool)


@dataclass(frozen=True)
class _Followed:
    """A trial's queue, followed; times in ns."""

    queues: bool
    """tasks wait between accepting and starting, not before"""
    due_ns: Floats
    start_ns: Floats
    end_ns: Floats
    streams: dict[str, tuple[Floats, Floats]]
    """due times and latencies of the streams that wait in the same queue"""

    def between(self, from_ns: int, to_ns: int) -> dict[str, float]:
        """Return the predicted quantities of what was due in a step's measured time."""

        def p99_ms(due_ns: Floats, spans_ns: Floats) -> float:
            return percentile(spans_ns[(due_ns >= from_ns) & (due_ns < to_ns)] / 1e6, 99)

        ended = (self.end_ns >= from_ns) & (self.end_ns < to_ns)
        found = {
            "completed_per_s": ended.sum() / (to_ns - from_ns) * 1e9 if to_ns > from_ns else np.nan,
            "completion_p99_ms": p99_ms(self.due_ns, self.end_ns - self.due_ns),
        }
        if self.queues:
            found["queue_wait_p99_ms"] = p99_ms(self.due_ns, self.start_ns - self.due_ns)
        return found | {f"{name}_p99_ms": p99_ms(*stream) for name, stream in self.streams.items()}


def _follow(frames: Frames, service: Service, servers: int, held_ms: list[float]) -> _Followed:
    """Follow the requests that were sent and not turned away; what got no answer may have been served."""
    tasks, others = _queued(frames.tasks), _queued(frames.bystanders)
    asked = Stream.TASKS.column
    due = {asked: tasks["due_ns"].to_numpy()}
    for stream in BYSTANDERS:
        due[stream.column] = others.loc[others["stream"].to_numpy() == stream, "due_ns"].to_numpy()
    origin = frames.trial.load.steps[0].from_ns
    seconds = {name: (own - origin) / 1e9 for name, own in due.items()}
    held_s = _each_held_ms(frames, tasks, np.nan_to_num(np.array(held_ms))) / 1000
    found = replay(service, servers, seconds[asked], held_s, seconds)
    return _Followed(
        queues=asked not in service.shares and (service.law in {"pool", "poll"} or not servers),
        due_ns=due[asked],
        start_ns=found.start_s * 1e9 + origin,
        end_ns=found.end_s * 1e9 + origin,
        streams={name: (due[name], latency * 1e9) for name, latency in found.latency_s.items()},
    )


def _queued(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[np.isin(rows["outcome"].to_numpy(), _QUEUED)]


def _held_ms(frames: Frames, service: Service, servers: int | None) -> list[float]:
    """Return how long a task of each step holds its server; NaN where none was finished."""
    steps = frames.tasks["step"].to_numpy()
    served = frames.tasks["service_ms"].to_numpy()
    known = [served[(steps == index) & ~np.isnan(served)] for index in range(len(frames.trial.load.steps))]
    extra = _hand_over_ms(frames.tasks, servers) if service.law == "pool" and servers else 0.0
    return [float(np.mean(own)) + extra if len(own) else np.nan for own in known]


def _each_held_ms(frames: Frames, tasks: pd.DataFrame, held_ms: Floats) -> Floats:
    """Return how long each task holds its server: its step's mean, and what varies about it by design."""
    step, drawn_ms = tasks["step"].to_numpy(), tasks["duration_ms"].to_numpy()
    held = np.asarray(held_ms[step])
    if not frames.trial.load.lasting:
        return held
    served = tasks["service_ms"].notna().to_numpy()
    for index in np.unique(step[served]):
        own = step == index
        held[own] += drawn_ms[own] - drawn_ms[own & served].mean()
    return np.asarray(np.maximum(held, 0.0))


def _hand_over_ms(tasks: pd.DataFrame, servers: int) -> float:
    """Return how long a server stays empty while tasks wait for it: 0 where too few ever waited.

    In a full FIFO queue of c servers the k-th task to start takes the place of the (k - c)-th to end: the
    median of the time between the two, over tasks that were there when that one ended.
    """
    rows = tasks[tasks["started_ns"].to_numpy() != NEVER].sort_values("started_ns")
    started = rows["started_ns"].to_numpy()
    ended = ended_ns(rows)
    ended = np.sort(ended[ended != NEVER])
    place = np.arange(servers, min(len(started), len(ended) + servers))
    left = ended[place - servers]
    gaps = (started[place] - left)[rows["accepted_ns"].to_numpy()[place] <= left] / 1e6
    return max(0.0, float(np.median(gaps))) if len(gaps) >= _FEWEST else 0.0


def _steady_state(
    service: Service, servers: int | None, rate_per_s: float, held_s: float
) -> dict[str, float]:
    """Return the p99 of the wait in M/M/c and M/D/c, of a pool only: a loop's and a poll's are others."""
    known = service.law == "pool" and servers and servers <= _MOST_SERVERS and held_s > 0
    laws = {"mmc": mmc_wait, "mdc": mdc_wait}
    return {
        f"{name}_wait_p99_ms": law(rate_per_s, held_s, servers, 99) * 1000 if known and servers else np.nan
        for name, law in laws.items()
    }


def _compared(predicted: dict[str, float], measured: pd.Series) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in QUANTITIES:
        theory, truth = predicted.get(name, np.nan), float(measured[name])
        bound = bool(measured.get(name.replace("_ms", "_at_least"), False))
        slack = max(WITHIN * truth, NOISE_MS if name.endswith("_ms") else 0.0)
        agrees = theory >= truth - slack and (bound or theory <= truth + slack)
        columns |= {
            f"predicted_{name}": theory,
            f"measured_{name}": truth,
            f"ratio_{name}": theory / truth if truth > 0 else np.nan,
            f"agrees_{name}": agrees,
        }
    return columns
