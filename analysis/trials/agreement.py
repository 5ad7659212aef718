"""Whether two sets of runs differ: ratios with intervals, and how often they cry wolf over equals (A/A)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analysis.stats import ratio_interval, shaky, t_quantile
from analysis.trials.latency import latency_ms
from analysis.trials.load import Frames
from results.percentile import percentile
from results.terms import OFFERED_BY_ALL, Outcome, Stream

Floats = npt.NDArray[np.float64]
Figures = Mapping[str, Floats]
"""one run: by metric its samples in order of due time, or its own figure alone"""
Pair = tuple[Figures, Figures]

RELEVANT: Final = 1.1
"""A factor below which a difference does not count: as far apart as a search lets the ends of a point's
interval be, so that nothing smaller could move a published point by more than its width."""
FEWEST_PAIRS: Final = 2
"""that show how runs differ"""
METRICS: Final = {
    "accept p50": (Stream.TASKS.column, 50),
    **{f"{stream.latency} p99": (stream.column, 99) for stream in (Stream.TASKS, *OFFERED_BY_ALL)},
    "completion p50": ("completion", 50),
    "throughput": ("throughput", 50),
}
"""what is compared: samples of a run, and the percentile of them"""


@dataclass(frozen=True)
class Comparison:
    """One metric of two sets of runs in pairs."""

    metric: str
    pairs: int
    ratio: float
    """first over second, the geometric mean of the pairs; NaN without a pair"""
    low: float
    """95 % interval of the ratio"""
    high: float

    @property
    def differs(self) -> bool:
        """Whether the whole interval lies beyond a relevant difference."""
        return self.low > RELEVANT or self.high < 1 / RELEVANT

    @property
    def shaky(self) -> bool:
        """Whether the interval is too wide for `no difference` to say much."""
        return shaky(self.low, self.high)


def figures(frames: Frames) -> dict[str, Floats]:
    """Return what is compared of one trial: latencies in ms of what was due after the warm-up.

    A request without an answer, and a task without an end, count as late as is known of them. Throughput
    is the number of tasks finished while it was measured, per second.
    """
    step = frames.trial.load.steps[0]
    tasks = _measured(frames.tasks, step.measure_from_ns)
    rows = _measured(frames.bystanders, step.measure_from_ns)
    answered_ns = frames.trial.load.drained_ns
    finished = frames.tasks["finished_ns"].to_numpy()
    done = ((finished >= step.measure_from_ns) & (finished < step.to_ns)).sum()
    streams = {each.column: rows[rows["stream"].to_numpy() == each] for each in OFFERED_BY_ALL}
    return {
        Stream.TASKS.column: _latency(tasks, "replied_ns", answered_ns),
        "completion": _latency(tasks, "finished_ns", frames.trial.drained_ns),
        **{name: _latency(own, "replied_ns", answered_ns) for name, own in streams.items()},
        "throughput": np.array([done / ((step.to_ns - step.measure_from_ns) / 1e9)]),
    }


def compare(pairs: Sequence[Pair]) -> list[Comparison]:
    """Compare the first runs of all pairs with the second ones, metric by metric."""
    return [_compare(metric, pairs) for metric in METRICS]


def false_alarms(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return by metric the share of pairs that differ when each is judged by itself.

    Blocks within two runs do not show what differs from run to run, by which a pair alone cries wolf. The
    other pairs do, since all are of equals: their logarithms spread about 0. The interval of a pair reaches
    at least as far as one more of them may lie, Student's t times that spread.
    """
    return {metric: float(np.mean(_alone(metric, pairs))) if pairs else float("nan") for metric in METRICS}


def _alone(metric: str, pairs: Sequence[Pair]) -> list[bool]:
    alone = [_compare(metric, [pair]) for pair in pairs]
    logs = np.log([each.ratio for each in alone])
    reach = [_reach(np.delete(logs, number)) for number in range(len(alone))]
    return [
        replace(
            each,
            low=min(each.low, each.ratio / factor),
            high=max(each.high, each.ratio * factor),
        ).differs
        for each, factor in zip(alone, reach, strict=True)
    ]


def _reach(others: Floats) -> float:
    """Return the factor within which the ratio of one more pair of equals lies; 1 where too few tell."""
    if len(others) < FEWEST_PAIRS:
        return 1.0
    return float(np.exp(t_quantile(len(others)) * np.sqrt(np.mean(others**2))))


def _compare(metric: str, pairs: Sequence[Pair]) -> Comparison:
    name, p = METRICS[metric]
    ours, theirs = [pair[0][name] for pair in pairs], [pair[1][name] for pair in pairs]
    ratios = [percentile(a, p) / percentile(b, p) for a, b in zip(ours, theirs, strict=True)]
    ratio = float(np.exp(np.mean(np.log(ratios)))) if ratios else float("nan")
    return Comparison(metric, len(pairs), ratio, *ratio_interval(ours, theirs, p))


def _measured(rows: Any, from_ns: int) -> Any:
    due = rows["due_ns"].to_numpy()
    waited = np.isin(rows["outcome"].to_numpy(), (Outcome.ACCEPTED, Outcome.UNKNOWN))
    return rows[waited & (due >= from_ns)]


def _latency(rows: Any, end: str, known_ns: int) -> Floats:
    due, ended = rows["due_ns"].to_numpy(), rows[end].to_numpy()
    return latency_ms(due, ended, (known_ns - due) / 1e6)[np.argsort(due, kind="stable")]
