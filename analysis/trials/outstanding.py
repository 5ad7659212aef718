"""How many tasks had come, had left, and were waited for at a time."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from results.terms import NEVER, Outcome

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def outstanding(tasks: pd.DataFrame, at_ns: Ints) -> Ints:
    """Return how many tasks were due and not yet ended at each of the ascending moments `at_ns`.

    Counts what a client has every reason to wait for: accepted tasks and those of unknown outcome; not
    what was rejected, refused or never sent. A failed task ends with its last failure.
    """
    waited = _waited(tasks)
    return passed(tasks["due_ns"].to_numpy()[waited], at_ns) - passed(ended_ns(tasks)[waited], at_ns)


def ended_ns(tasks: pd.DataFrame) -> Ints:
    """Return when each task ended: its last finish, else its last failure, else `NEVER`."""
    finished = tasks["finished_ns"].to_numpy()
    return np.where(finished != NEVER, finished, tasks["failed_ns"].to_numpy())


def flow(tasks: pd.DataFrame, at_ns: Ints, *, held: bool) -> tuple[Ints, Ints]:
    """Return how many tasks had come, and how many had left, at each of the moments."""
    joined = came(tasks)
    left = ended_ns(tasks)
    if held:
        started = tasks["started_ns"].to_numpy()
        left = np.where(started != NEVER, started, left)
    return passed(tasks["due_ns"].to_numpy()[joined], at_ns), passed(left[joined], at_ns)


def passed(moments_ns: Ints, at_ns: Ints) -> Ints:
    """Return how many of the moments that came had come at each of the ascending `at_ns`."""
    place = np.searchsorted(at_ns, moments_ns[moments_ns != NEVER])
    return np.cumsum(np.bincount(place, minlength=len(at_ns) + 1))[: len(at_ns)]


def came(tasks: pd.DataFrame) -> Mask:
    """Return which tasks join the backlog: what was shed came, too, and never leaves."""
    joined: Mask = _waited(tasks) | (tasks["outcome"].to_numpy() == Outcome.SHED)
    return joined


def _waited(tasks: pd.DataFrame) -> Mask:
    return np.isin(tasks["outcome"].to_numpy(), (Outcome.ACCEPTED, Outcome.UNKNOWN))
