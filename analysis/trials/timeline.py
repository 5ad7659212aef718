"""A trial second by second: what came, what was done, what waited and whom it hurt."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.trials.latency import latency_ms
from analysis.trials.load import Frames
from analysis.trials.outstanding import outstanding
from results.terms import BYSTANDERS, NEVER, Outcome, Stream

BINS: Final = 120
_NARROWEST_NS: Final = 100_000_000


def trial_timeline(frames: Frames, limit_ms: float) -> pd.DataFrame:
    """Return one row an equal slice of a trial, from its first arrival to its drained backlog.

    Columns: `trial_id`, `attempt`, `strategy`, `variant`, `kind`, `duration_ms`, `topology`, `valid`,
    `limit_ms`, `at_s` (the slice's middle, from the schedule's start), `arrivals_per_s`,
    `completed_per_s`, `backlog` (at the slice's end), and of each stream `COLUMN_worst_ms`, the worst
    latency of what was due in the slice in ms: NaN where nothing was, the bound where nothing came back.
    """
    load, plan = frames.trial.load, frames.trial.plan
    start, schedule_end = load.steps[0].from_ns, load.steps[-1].to_ns
    finished = frames.tasks["finished_ns"].to_numpy()
    end = max(schedule_end, min(int(finished.max(initial=0)), 2 * schedule_end - start))
    width = max((end - start) // BINS, _NARROWEST_NS)
    edges = np.arange(start, end + width, width, dtype=np.int64)
    seconds = width / 1e9
    tasks = frames.tasks[frames.tasks["outcome"] != Outcome.SHED]
    columns = {
        "at_s": (edges[:-1] - start) / 1e9 + seconds / 2,
        "arrivals_per_s": np.histogram(tasks["due_ns"], edges)[0] / seconds,
        "completed_per_s": np.histogram(finished[finished != NEVER], edges)[0] / seconds,
        "backlog": outstanding(frames.tasks, edges[1:]),
        worst_column(Stream.TASKS): _worst(frames.tasks, edges),
    }
    for stream in BYSTANDERS:
        own = frames.bystanders[frames.bystanders["stream"] == stream]
        columns[worst_column(stream)] = _worst(own, edges)
    about = {
        "trial_id": plan.trial_id,
        "attempt": frames.trial.attempt,
        "strategy": frames.subject.strategy,
        "variant": frames.subject.variant,
        "kind": plan.kind,
        "duration_ms": plan.duration_ms,
        "topology": plan.topology,
        "valid": frames.trial.valid,
        "limit_ms": limit_ms,
    }
    return pd.DataFrame(about | columns)


def worst_column(stream: Stream) -> str:
    """Return the name of the column with a stream's worst latency."""
    return f"{stream.column}_worst_ms"


def _worst(requests: pd.DataFrame, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    due, replied, bound_ms = (requests[name].to_numpy() for name in ("due_ns", "replied_ns", "bound_ms"))
    latency = latency_ms(due, replied, bound_ms)
    worst = np.full(len(edges) - 1, -np.inf)
    place = np.searchsorted(edges, due, side="right") - 1
    inside = (place >= 0) & (place < len(worst))
    np.maximum.at(worst, place[inside], latency[inside])
    worst[np.isinf(worst)] = np.nan
    return worst
