"""By how much a backlog grows, and how surely: a drift with its margin, from one step of a trial."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.stats import t_quantile
from analysis.trials.outstanding import came, ended_ns, flow, passed
from results.load import Step

Ints = npt.NDArray[np.int64]

GROWTH_LIMIT: Final = 0.01
"""a smaller growth does not count as falling behind: the load is within 1 % of what can be served"""
NEAR: Final = 0.05
"""to be certain that the work keeps up is to know that less than this share of the arrivals stays behind"""
EMPTIED: Final = 0.75
"""a line in front of the slots seen empty in this share of the batches keeps up, whatever the margin"""
MOST_BATCHES: Final = 16
_FEWEST_BATCHES: Final = 6
LOOKS: Final = 16
"""looks at the backlog in each batch"""


def growth_of(
    tasks: pd.DataFrame, step: Step, tasks_per_s: float, *, held: bool, tick_s: float
) -> tuple[float, float, bool]:
    """Return the growth, its margin, and whether a line kept emptying; of less than a service time (0, 1).

    The estimate is the drift from the first batch's mean to the last one's. It is taken of two series with
    the same drift, whichever is quieter: the backlog itself (arrived - left), and the backlog that an even
    stream of arrivals would leave (rate x t - left). Below saturation departures follow arrivals and the
    first is quiet; above it they do not, the schedule's own unevenness is the larger part of the noise,
    and the second is free of it. In simulation (Poisson arrivals with a fixed count, fixed service times,
    100 to 6,000 arrivals) it is certain of 95 % of the overloads from rho = 1.025 on; least squares over
    the backlog, or its plain drift from end to end, of 55 %. The margin knows little of a healthy system,
    whose increments cancel out in the long run: there a line that empties again and again says more.

    Both ask what became of the arrivals of these seconds. Where those come in bursts, more or fewer came than
    the rate says, which is no growth, and no proof that the rate is kept up with: what strayed is part of the
    margin, unless a line always stood and departures did not depend on arrivals. A third estimate is free of
    it: how fast tasks left while a line stood (see `_while_waiting`).
    """
    service_ns = int(step.duration_ms * 1e6)
    begin = step.measure_from_ns if held else max(step.measure_from_ns, step.from_ns + service_ns)
    span_s = (step.to_ns - begin) / 1e9
    if tasks_per_s <= 0 or span_s <= 0 or step.to_ns - begin < service_ns:
        return 0.0, 1.0, False
    wave_s = max(step.duration_ms / 1000, tick_s, span_s / MOST_BATCHES)
    batches = max(_FEWEST_BATCHES, int(span_s / wave_s + 1e-9))
    at = np.linspace(begin, step.to_ns, batches * LOOKS + 1).astype(np.int64)
    arrived, left = flow(tasks, at, held=held)
    line = arrived - left
    due = tasks_per_s * span_s
    wanted = _admitted(tasks, begin, step.to_ns) * due
    missing = (wanted - (arrived[-1] - arrived[0])) / due
    pressed = np.linspace(0, wanted, len(at)) - left
    found = [
        _told(_drift(line[1:], batches), due / batches, missing),
        _told(_drift(pressed[1:], batches), due / batches, 0.0 if line[1:].all() else -abs(missing)),
    ]
    if held:
        slots = int((left - passed(ended_ns(tasks)[came(tasks)], at)).max())
        found.append(_while_waiting(line, left, wanted / len(line[1:]), slots, batches))
    growth, margin = min(found, key=lambda each: each[1])
    emptied = (line[1:].reshape(batches, -1) == 0).any(axis=1).mean() >= EMPTIED
    return growth, max(margin, 1 / due), bool(held and emptied and missing < NEAR)


def _told(found: tuple[float, float], arrivals: float, missing: float) -> tuple[float, float]:
    """Return a drift and its margin as shares of the arrivals, the margin widened by arrivals that strayed.

    Had those come that are missing, more might stay behind; had those not come that were too many, less.
    """
    growth, margin = (each / arrivals for each in found)
    return growth, margin + max(-missing if growth > GROWTH_LIMIT else missing, 0.0)


def _while_waiting(line: Ints, left: Ints, wanted: float, slots: int, batches: int) -> tuple[float, float]:
    """Return by how much fewer tasks left than the `wanted` a look while some were waiting, and the margin.

    Whatever the arrivals do, the slots work as fast as they can while a line stands: capacity is read off
    the busy time alone. Each time that a line forms, the slots may be anywhere in their waves, which makes
    up to one task a slot more or less.
    """
    waited = line[:-1] > 0
    went = np.diff(left)[waited]
    count = len(went) * batches // len(waited)
    if count < _FEWEST_BATCHES:
        return 0.0, 1.0
    total = wanted * len(went)
    sums = went[-count * (len(went) // count) :].reshape(count, -1).sum(axis=1)
    spread = float(t_quantile(count - 1)) * math.sqrt(_variance(sums, lambda k: k) * count)
    formed = int((np.diff(waited.astype(np.int8)) > 0).sum())
    return 1 - float(went.sum()) / total, (spread + slots * math.sqrt(formed)) / total


def _admitted(tasks: pd.DataFrame, from_ns: int, to_ns: int) -> float:
    """Return the share of the tasks due in a span that join the backlog: not those turned away."""
    due = tasks["due_ns"].to_numpy()
    inside = (due >= from_ns) & (due < to_ns)
    return float(came(tasks)[inside].mean()) if inside.any() else 1.0


def _drift(level: npt.NDArray[Any], batches: int) -> tuple[float, float]:
    """Return the drift of a series a batch, and its 95 % margin.

    Means of batches smooth a random walk, over k of them by the factor 1 - 1/(3k) (Working 1960), which is
    undone.
    """
    increments = np.diff(level.reshape(batches, -1).mean(axis=1))
    n = len(increments)
    variance = _variance(increments, lambda k: k - 1 / 3)
    return float(increments.mean()), float(t_quantile(n - 1) * np.sqrt(variance / n))


def _variance(batches: npt.NDArray[Any], weight: Callable[[int], float]) -> float:
    """Return the variance a batch: the largest of those seen over 1, 2 and 4 of them.

    Increments that follow one another's sign (bursts of arrivals) must not pass for independent ones.
    """
    n = len(batches)
    sums = {k: batches[n % k :].reshape(-1, k).sum(axis=1) for k in (1, 2, 4) if n // k >= 3}
    return max((float(each.var(ddof=1)) / weight(k) for k, each in sums.items()), default=0.0)
