"""Which of a trial's tasks the broker named, at each look into it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from results.terms import Look

Held = Mapping[Look, Mapping[str, set[int]]]
"""task ids that each look saw, by the broker's key"""


def of_trial(held: Held, task_ids: npt.NDArray[np.uint64]) -> Held:
    """Return the looks without what is none of the trial's tasks."""
    ours = set(task_ids.tolist())
    return {look: {place: ids & ours for place, ids in found.items()} for look, found in held.items()}


def looks(held: Held) -> dict[Look, np.ndarray]:
    """Return the ids that each look saw, uint64 in order, in whichever place."""
    return {look: np.array(sorted(set().union(*found.values())), np.uint64) for look, found in held.items()}


def columns_of(held: Held) -> dict[str, np.ndarray]:
    """Return the columns of the table `holdings`."""
    rows = [
        (task_id, int(look), place)
        for look, found in held.items()
        for place, ids in found.items()
        for task_id in sorted(ids)
    ]
    task_ids, seen, places = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "task_id": np.array(task_ids, np.uint64),
        "look": np.array(seen, np.int8),
        "place": np.array(places, object),
    }
