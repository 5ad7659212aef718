"""When each request is due: decided by a seed before the load, never by how the target answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.draws import durations_ms, offsets_s
from results.lasting import Lasting
from results.terms import OFFERED_BY_ALL, Stream
from results.traffic import USUAL, Traffic

NS_PER_S = 1_000_000_000
_DURATIONS = 3
"""numbers the durations' generator, as each stream has its own: later streams have the numbers above it"""


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
    `step` int16: index of the step · `duration_ms` float64: how long its task lasts, 0 of a bystander.
    """

    due_ns: np.ndarray
    stream: np.ndarray
    arrival: np.ndarray
    step: np.ndarray
    duration_ms: np.ndarray

    def __len__(self) -> int:
        return len(self.due_ns)

    def shard(self, index: int, count: int) -> "Schedule":
        """Return what worker `index` of `count` sends: arrivals `index`, `index + count`, ..."""
        mine = self.arrival % count == index
        return Schedule(*(column[mine] for column in vars(self).values()))


def boundaries_ns(steps: Sequence[PlannedStep]) -> list[int]:
    """Return where the steps begin and, last, where the schedule ends: offsets from the start."""
    ends = np.cumsum([step.seconds for step in steps])
    return [0, *(round(end * NS_PER_S) for end in ends.tolist())]


def plan(
    steps: Sequence[PlannedStep],
    *,
    seed: int,
    traffic: Traffic = USUAL,
    bystander_per_s: float = 0.0,
    bystanders: Sequence[Stream] = OFFERED_BY_ALL,
    warm_up: float = 0.0,
) -> Schedule:
    """Plan the tasks of the steps, beside the bystanders, whose streams are always Poisson.

    Each stream and step draws from a generator of its own, and so do the durations: changing one leaves the
    others as they were.
    """
    starts = boundaries_ns(steps)
    parts: list[tuple[np.ndarray, np.ndarray, Stream, int]] = []
    for index, step in enumerate(steps):
        for stream in (Stream.TASKS, *bystanders):
            tasks = stream is Stream.TASKS
            rate = step.rate_per_s if tasks else bystander_per_s
            if rate <= 0:
                continue
            random = np.random.default_rng([seed, _generator(stream), index])
            at_s = offsets_s(traffic if tasks else USUAL, rate, step.seconds, random, warm_up)
            due = (at_s * NS_PER_S).astype(np.int64) + starts[index]
            lasting = (
                _lasting_ms(step, len(due), traffic.lasting, seed, index) if tasks else np.zeros(len(due))
            )
            parts.append((due, lasting, stream, index))
    return _in_order(parts)


def _generator(stream: Stream) -> int:
    return stream + (stream >= _DURATIONS)


def _lasting_ms(step: PlannedStep, count: int, law: Lasting, seed: int, index: int) -> np.ndarray:
    """Return how long each task of a step lasts, in order of arrival."""
    return durations_ms(step.duration_ms, law, count, np.random.default_rng([seed, _DURATIONS, index]))


def _in_order(parts: Sequence[tuple[np.ndarray, np.ndarray, Stream, int]]) -> Schedule:
    """Merge due times and durations of streams and steps into one schedule."""
    counts = [len(due) for due, *_ in parts]
    due_ns = np.concatenate([np.zeros(0, np.int64), *(due for due, *_ in parts)])
    lasting_ms = np.concatenate([np.zeros(0), *(lasting for _, lasting, _, _ in parts)])
    order = np.argsort(due_ns, kind="stable")
    stream_of = np.repeat([int(s) for _, _, s, _ in parts], counts).astype(np.int8)[order]
    step_of = np.repeat([index for _, _, _, index in parts], counts).astype(np.int16)[order]
    arrival = np.zeros(len(due_ns), np.int32)
    for stream in Stream:
        of_stream = stream_of == stream
        arrival[of_stream] = np.arange(np.count_nonzero(of_stream), dtype=np.int32)
    return Schedule(due_ns[order], stream_of, arrival, step_of, lasting_ms[order])
