"""A pool of threads, first come, first served: a heap of the moments at which its slots are free."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PASS_S: Final = 0.0001
"""what one pass of a bystander takes of a thread"""
PASSES: Final = 2
"""a `def` endpoint takes a thread for its body, and another to validate what it returned"""


@dataclass(frozen=True)
class Served:
    """When tasks started and ended, and bystanders had their last pass."""

    started_s: Floats
    ended_s: Floats
    passed_s: Floats


def serve(
    tasks_s: Floats,
    held_s: Floats,
    bystanders_s: Floats,
    slots: int,
    returned: Callable[[float], float] | None = None,
    *,
    passes: int = PASSES,
) -> Served:
    """Serve tasks and bystanders, both ascending in time; `returned` says when a slot given back is free."""
    count = len(tasks_s)
    at = np.concatenate([tasks_s, bystanders_s])
    order = np.argsort(at, kind="stable")
    held = np.concatenate([held_s, np.full(len(bystanders_s), PASS_S)])[order].tolist()
    free = [-np.inf] * slots
    again: deque[tuple[float, int]] = deque()
    started, ended = np.empty(len(at)), np.empty(len(at))

    def take(moment_s: float, seconds: float) -> float:
        began = max(moment_s, free[0])
        end = began + seconds
        heapq.heapreplace(free, returned(end) if returned else end)
        return began

    for job, moment_s, seconds in zip(order.tolist(), at[order].tolist(), held, strict=True):
        while again and again[0][0] <= moment_s:
            second_s, other = again.popleft()
            ended[other] = take(second_s, PASS_S) + PASS_S
        started[job] = began = take(moment_s, seconds)
        ended[job] = began + seconds
        if job >= count and passes > 1:
            again.append((began + PASS_S, job))
    for second_s, other in again:
        ended[other] = take(second_s, PASS_S) + PASS_S
    return Served(started[:count], ended[:count], ended[count:])
