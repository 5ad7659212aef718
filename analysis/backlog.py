"""How much work is waiting or running at a time, and whether it grows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from results.schema import NEVER, Outcome, Step

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GROWTH_LIMIT: Final = 0.02
"""growth below this is noise: in simulation 0.003 at rho = 0.96 and up to 0.043 at 1.01 (40 slots, 10 s)"""
_LOOKS: Final = 256


@dataclass(frozen=True)
class Backlog:
    """What a step's backlog did while it was measured."""

    growth: float
    """slope of outstanding(t) divided by the arrival rate: the share of arrivals that stays behind"""
    mean: float
    """tasks outstanding on average"""
    end: int
    """tasks outstanding at the end of the step"""
    behind: bool
    """the backlog grew: by more than `GROWTH_LIMIT` of the arrivals, and by more than chance would have it"""


def outstanding(tasks: pd.DataFrame, at_ns: Ints) -> Ints:
    """Return how many tasks were due and not yet ended at each of the moments `at_ns`.

    Counts what a client has every reason to wait for: accepted tasks and those of unknown outcome; not
    what was rejected, refused or never sent. A failed task ends with its last failure.
    """
    waited = np.isin(tasks["outcome"].to_numpy(), (Outcome.ACCEPTED, Outcome.UNKNOWN))
    due = np.sort(tasks["due_ns"].to_numpy()[waited])
    ended = ended_ns(tasks)[waited]
    ended = np.sort(ended[ended != NEVER])
    came = np.searchsorted(due, at_ns, side="right")
    went = np.searchsorted(ended, at_ns, side="right")
    return (came - went).astype(np.int64)


def ended_ns(tasks: pd.DataFrame) -> Ints:
    """Return when each task ended: its last finish, else its last failure, else `NEVER`."""
    finished = tasks["finished_ns"].to_numpy()
    return np.where(finished != NEVER, finished, tasks["failed_ns"].to_numpy())


def measure(tasks: pd.DataFrame, step: Step, tasks_per_s: float) -> Backlog:
    """Regress the backlog of a step on time (least squares over 256 evenly spaced looks).

    Theory expects a growth of max(0, 1 - 1/rho). While its slots fill, a healthy system grows too, and
    chance moves the number in service, L = completions per second x duration (Little's law), by about
    sqrt(L): a growth counts only where it adds up to 3 sqrt(L) tasks, and to at least 3.
    """
    at = np.linspace(step.measure_from_ns, step.to_ns, _LOOKS).astype(np.int64)
    waiting = outstanding(tasks, at)
    seconds = (at - at[0]) / 1e9
    centred = seconds - seconds.mean()
    slope = float(centred @ waiting / (centred @ centred)) if seconds[-1] > 0 else 0.0
    growth = slope / tasks_per_s if tasks_per_s > 0 else 0.0
    grown = slope * seconds[-1]
    ended = ended_ns(tasks)
    served = int(((ended >= at[0]) & (ended < at[-1])).sum())
    in_service = served * step.duration_ms / 1000 / seconds[-1] if seconds[-1] > 0 else 0.0
    certain = grown > 3 * np.sqrt(max(in_service, 1.0))
    return Backlog(
        growth, float(waiting.mean()), int(waiting[-1]), behind=bool(certain and growth > GROWTH_LIMIT)
    )
