"""A queue G/G/c whose truth is known: what the verdicts are tried on, in tests and in benchmarks.

Times are seconds from the start of a trial; arrays hold one element a task, in order of arrival.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from results.load import Step
from results.terms import NEVER, Outcome

Floats = npt.NDArray[np.float64]
Arrivals = Literal["poisson", "conditioned", "onoff"]
Law = Literal["exponential", "deterministic"]

BURSTINESS: Final = 1.5
"""`onoff`: the rate while on, in units of the mean rate"""
CYCLES: Final = 20
"""`onoff`: mean number of on-and-off cycles in a trial"""
SERVICE_S: Final = 0.1
"""mean service time of a `trial`"""


@dataclass(frozen=True)
class Queue:
    """What kind of queue: M/M/c and M/D/c with (conditioned) Poisson arrivals, bursty ones with `onoff`."""

    arrivals: Arrivals
    law: Law
    slots: int


def arrivals(
    rng: np.random.Generator, how: Arrivals, rate_per_s: float, parts_s: Sequence[float] = (1.0,)
) -> Floats:
    """Return sorted arrival times over consecutive parts of the given lengths.

    `poisson`: a Poisson process. `conditioned`: the same given its count in each part, which is the
    expected one (uniform order statistics). `onoff`: Poisson at 1.5 times the rate while on, nothing while
    off; on and off stretches are exponential, 20 cycles a trial on average (begun 5 cycles before it).
    """
    ends = np.cumsum(np.asarray(parts_s, float))
    horizon = float(ends[-1])
    if how == "conditioned":
        starts = ends - np.asarray(parts_s, float)
        counts = np.diff(np.round(rate_per_s * ends).astype(int), prepend=0)
        pieces = [rng.uniform(a, b, n) for a, b, n in zip(starts, ends, counts, strict=True)]
        return np.sort(np.concatenate(pieces))
    if how == "poisson":
        return np.sort(rng.uniform(0, horizon, rng.poisson(rate_per_s * horizon)))
    cycle = horizon / CYCLES
    lengths = rng.exponential(1.0, (10 * CYCLES, 2)) * cycle * np.array([1 / BURSTINESS, 1 - 1 / BURSTINESS])
    opened = np.cumsum(lengths.sum(axis=1)) - lengths.sum(axis=1) - 5 * cycle
    at = np.sort(rng.uniform(0, horizon, rng.poisson(BURSTINESS * rate_per_s * horizon)))
    stretch = np.searchsorted(opened, at, side="right") - 1
    return np.asarray(at[at < opened[stretch] + lengths[stretch, 0]])


def service(rng: np.random.Generator, law: Law, mean_s: float, n: int) -> Floats:
    """Return n service times in seconds."""
    return rng.exponential(mean_s, n) if law == "exponential" else np.full(n, mean_s)


def fifo(due_s: Floats, service_s: Floats, slots: int) -> Floats:
    """Return when each task starts: first come, first served by `slots` servers, which are empty at first.

    The recursion of Kiefer and Wolfowitz (1955): a task starts once it is due and a server is free.
    """
    free = [0.0] * slots
    started = np.empty_like(due_s)
    for i, (due, held) in enumerate(zip(due_s.tolist(), service_s.tolist(), strict=True)):
        started[i] = start = max(due, free[0])
        heapq.heapreplace(free, start + held)
    return started


def trial(queue: Queue, rho: float, measured: int, seed: int) -> tuple[pd.DataFrame, Step]:
    """Return the tasks of one trial, as `load.read_trial` gives them, and its step.

    `measured` arrivals are expected after the warm-up, a fifth of the trial; tasks last 100 ms on average.
    """
    rate = rho * queue.slots / SERVICE_S
    seconds = measured / rate
    rng = np.random.default_rng(seed)
    due = arrivals(rng, queue.arrivals, rate, (seconds / 4, seconds))
    held = service(rng, queue.law, SERVICE_S, len(due))
    started = fifo(due, held, queue.slots)
    tasks = pd.DataFrame(
        {
            "due_ns": _ns(due),
            "started_ns": _ns(started),
            "finished_ns": _ns(started + held),
            "failed_ns": np.full(len(due), NEVER, np.int64),
            "outcome": np.full(len(due), int(Outcome.ACCEPTED), np.int8),
        }
    )
    step = Step(
        rate_per_s=rate,
        duration_ms=SERVICE_S * 1000,
        from_ns=0,
        measure_from_ns=int(seconds / 4 * 1e9),
        to_ns=int(seconds * 1.25 * 1e9),
    )
    return tasks, step


def _ns(seconds: Floats) -> npt.NDArray[np.int64]:
    return np.round(seconds * 1e9).astype(np.int64)
