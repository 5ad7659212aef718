"""When each request is due: decided by a seed before the load, never by how the target answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.terms import Stream

NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class PlannedStep:
    """A step of a schedule with one arrival rate and one task duration."""

    seconds: float
    rate_per_s: float
    duration_ms: float


@dataclass(frozen=True)
class Schedule:
    """The requests of all streams in the order in which they are due; columns of one length.

    `due_ns` int64: offsets from the start · `stream` int8 · `arrival` int32: position within its stream ·
    `step` int16: index of the step.
    """

    due_ns: np.ndarray
    stream: np.ndarray
    arrival: np.ndarray
    step: np.ndarray

    def __len__(self) -> int:
        return len(self.due_ns)

    def shard(self, index: int, count: int) -> "Schedule":
        """Return what worker `index` of `count` sends: arrivals `index`, `index + count`, ..."""
        mine = self.arrival % count == index
        return Schedule(self.due_ns[mine], self.stream[mine], self.arrival[mine], self.step[mine])


def offsets_ns(
    rate_per_s: float, seconds: float, arrivals: str, random: np.random.Generator, warm_up: float = 0.0
) -> np.ndarray:
    """Return the due offsets of one step, sorted int64 in [0, seconds).

    `arrivals` is `poisson` or `constant`. Poisson arrivals are conditioned on their number, which is the
    expected one both in the warm-up (that share of the step) and after it: given its count, a Poisson
    process is a uniform sample in order (e.g. Kingman, *Poisson Processes*, 1993, section 2.4). So a trial
    meets the rate that it is named after, instead of one that chance puts sqrt(n) arrivals away from it.
    Gaps are drawn at unit rate and scaled: one seed gives the same pattern at every rate.
    """
    count = round(rate_per_s * seconds)
    if arrivals == "constant":
        at_s = (np.arange(count) + 0.5) / rate_per_s
        return (at_s * NS_PER_S).astype(np.int64)
    cut_s, early = warm_up * seconds, round(rate_per_s * warm_up * seconds)
    at_s = np.concatenate(
        [_uniform(early, 0.0, cut_s, random), _uniform(count - early, cut_s, seconds, random)]
    )
    return (at_s * NS_PER_S).astype(np.int64)


def _uniform(count: int, begin: float, end: float, random: np.random.Generator) -> np.ndarray:
    """Return `count` uniform values in order, made of exponential gaps."""
    gaps = np.cumsum(random.standard_exponential(count + 1))
    return np.asarray(begin + (end - begin) * gaps[:-1] / gaps[-1])


def boundaries_ns(steps: Sequence[PlannedStep]) -> list[int]:
    """Return where the steps begin and, last, where the schedule ends: offsets from the start."""
    ends = np.cumsum([step.seconds for step in steps])
    return [0, *(round(end * NS_PER_S) for end in ends.tolist())]


def plan(
    steps: Sequence[PlannedStep],
    *,
    seed: int,
    arrivals: str = "poisson",
    bystander_per_s: float = 0.0,
    warm_up: float = 0.0,
) -> Schedule:
    """Plan the tasks of the steps, beside two bystander streams that are always Poisson.

    Each stream and step draws from a generator of its own: changing one leaves the others as they were.
    """
    starts = boundaries_ns(steps)
    parts: list[tuple[np.ndarray, Stream, int]] = []
    for index, step in enumerate(steps):
        for stream in Stream:
            tasks = stream is Stream.TASKS
            rate = step.rate_per_s if tasks else bystander_per_s
            if rate <= 0:
                continue
            random = np.random.default_rng([seed, int(stream), index])
            spacing = arrivals if tasks else "poisson"
            due = offsets_ns(rate, step.seconds, spacing, random, warm_up)
            parts.append((due + starts[index], stream, index))
    due_ns = np.concatenate([np.zeros(0, np.int64), *(due for due, _, _ in parts)])
    order = np.argsort(due_ns, kind="stable")
    stream_of = np.repeat([int(s) for _, s, _ in parts], [len(d) for d, _, _ in parts]).astype(np.int8)[order]
    step_of = np.repeat([index for _, _, index in parts], [len(d) for d, _, _ in parts]).astype(np.int16)[
        order
    ]
    arrival = np.zeros(len(due_ns), np.int32)
    for stream in Stream:
        of_stream = stream_of == stream
        arrival[of_stream] = np.arange(np.count_nonzero(of_stream), dtype=np.int32)
    return Schedule(due_ns[order], stream_of, arrival, step_of)
