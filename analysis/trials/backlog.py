"""Whether the work of a step fell behind: how much was waiting or running, and whether it grew."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.trials.growth import GROWTH_LIMIT, LOOKS, MOST_BATCHES, NEAR, growth_of
from analysis.trials.outstanding import outstanding, passed
from results.lasting import EQUALLY, Lasting
from results.load import Step

NEAR_VARIED: Final = 0.02
"""`NEAR` where durations vary: then the line wanders so far by chance that it is empty for seconds, and
grows little, at a few per cent more than can be served; simulated, one search in six built on that"""
_LEAN: Final = 0.4
"""share of the margin that a growth must exceed: about as many false alarms as misses, in simulation"""


@dataclass(frozen=True)
class Backlog:
    """What a step's backlog did while it was measured, and whether the work fell behind."""

    growth: float
    """slope of the backlog divided by the arrival rate: the share of arrivals that stays behind"""
    growth_low: float
    """95 % interval of the growth"""
    growth_high: float
    mean: float
    """tasks outstanding on average"""
    end: int
    """tasks outstanding at the end of the step"""
    behind: bool
    """the work more likely falls behind than keeps up"""
    certain: bool
    """the interval excludes the other answer: it is above 0, or wholly below `NEAR`; or the line emptied"""


def measure(
    tasks: pd.DataFrame,
    step: Step,
    tasks_per_s: float,
    *,
    held: bool = False,
    tick_s: float = 0.0,
    lasting: Lasting = EQUALLY,
) -> Backlog:
    """Return whether a step's work fell behind; theory expects a growth of max(0, 1 - 1/rho).

    `held`: a task in service lasts as long as it was asked to (it sleeps), whatever the load, so that the
    number in service cannot grow for good, be they equally long or not: what grows is the line in front of
    the slots, and tasks leave the backlog when they start. Slots
    that fill at first, or hold few or many by chance, are then no growth. Otherwise tasks leave when they
    end, and looking begins one service time after the load. `tick_s`: a poll's interval; service and ticks
    make waves, so that a batch is no shorter than either (at most 16 batches, at least 6). What was shed
    came, too, and never leaves. `lasting`: the law of the durations. Where they vary, long tasks go on
    filling the slots for many services, and a line that is empty meanwhile proves nothing: until all but
    `NEAR` of the slots that will be needed are taken, it is not certain that the work keeps up.
    """
    growth, margin, emptied = growth_of(tasks, step, tasks_per_s, held=held, tick_s=tick_s)
    behind = growth > max(GROWTH_LIMIT, _LEAN * margin)
    at = np.linspace(step.measure_from_ns, step.to_ns, MOST_BATCHES * LOOKS).astype(np.int64)
    waiting = outstanding(tasks, at)
    return Backlog(
        growth,
        growth - margin,
        growth + margin,
        float(waiting.mean()),
        int(waiting[-1]),
        behind=behind,
        certain=growth > margin if behind else _keeps_up(growth + margin, step, lasting, emptied=emptied),
    )


def _keeps_up(growth_high: float, step: Step, lasting: Lasting, *, emptied: bool) -> bool:
    """Say whether it is certain that the work keeps up."""
    if not lasting:
        return growth_high < NEAR or emptied
    return _filled(step, lasting) and growth_high < NEAR_VARIED


def _filled(step: Step, lasting: Lasting) -> bool:
    """Say whether the slots had filled before looking began; with equally long tasks they have."""
    after_ms = (step.measure_from_ns - step.from_ns) / 1e6
    return not lasting or lasting.unfilled(after_ms, step.duration_ms) < NEAR


def completion_slope(tasks: pd.DataFrame, step: Step) -> float:
    """Return the least-squares slope of the number of finished tasks over the measured time, in tasks/s.

    The service rate where the work falls behind; waves of completions at the ends hardly move it.
    """
    if step.to_ns <= step.measure_from_ns:
        return float("nan")
    at = np.linspace(step.measure_from_ns, step.to_ns, MOST_BATCHES * LOOKS).astype(np.int64)
    done = passed(tasks["finished_ns"].to_numpy(), at)
    seconds = (at - at.mean()) / 1e9
    return float(seconds @ done / (seconds @ seconds))
