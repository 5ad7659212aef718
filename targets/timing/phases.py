"""Calls the task in several ways: one after another, side by side in threads or on a loop, in processes."""

import asyncio
import itertools
import multiprocessing
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Barrier
from typing import Any, Final

from results.errors import BlockpointError
from targets.own.calls import OwnTask, own_task
from targets.own.resolve import last_line
from targets.timing.account import queued_ns
from targets.timing.found import Lane, Phase
from targets.timing.loop import WatchedLoop
from targets.timing.watch import Watch

FEWEST_CALLS: Final = 20
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 10.0
LOAD_S: Final = 2.0
SAMPLED_RESULTS: Final = 5
"""whose size is looked at: pickling a large one takes time"""


@dataclass
class Calls:
    """The calls of one phase, lane by lane."""

    lanes: list[Lane] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """a line for each call that raised"""
    returned_bytes: int = 0
    sampled: int = 0

    def lane(self) -> Lane:
        """Return a new lane, in which calls follow each other."""
        self.lanes.append(Lane())
        return self.lanes[-1]

    @property
    def phase(self) -> Phase:
        """What they sum up to."""
        return Phase.of(self.lanes, len(self.errors))

    @contextmanager
    def timed(self, lane: Lane) -> Iterator[None]:
        """Time a call; one that raises is a failure, and as long as it took."""
        began_s = time.perf_counter()
        try:
            yield
        except (Exception, SystemExit) as error:
            self.errors.append(last_line(error))
        finally:
            lane.add(began_s)

    def look_at(self, result: Any) -> None:
        """Note how large a result is."""
        if self.sampled < SAMPLED_RESULTS and result is not None:
            self.sampled += 1
            self.returned_bytes = max(self.returned_bytes, _size(result))


@dataclass(frozen=True)
class Alone:
    """One after another, in this process."""

    calls: Calls
    cores: float
    loop: float
    queued: float


def one_after_another(task: OwnTask, watch: Watch) -> Alone:
    """Call it at least `FEWEST_CALLS` times after a warm-up, for up to `LONGEST_S`."""
    watched, calls, ids = WatchedLoop(), Calls(), itertools.count()
    with watched.runner as runner:
        call: Callable[[int], Any] = (
            (lambda task_id: runner.run(task.call_awaiting(task_id))) if task.awaited else task.call
        )
        _warm_up(call, ids, watch)
        lane = calls.lane()
        began_s, cpu_s, waited_s = time.perf_counter(), time.process_time(), watched.waited_s
        before_ns = queued_ns()
        while not _enough(len(lane.durations_ms), elapsed_s := time.perf_counter() - began_s):
            watch.begin("a call of the task")
            result = None
            with calls.timed(lane):
                result = call(next(ids))
            watch.end()
            calls.look_at(result)
        elapsed_s = time.perf_counter() - began_s
        cores = (time.process_time() - cpu_s) / elapsed_s
        queued = (queued_ns() - before_ns) / 1e9 / elapsed_s
        kept = 1 - (watched.waited_s - waited_s) / elapsed_s if task.awaited else 1.0
    return Alone(calls, cores, min(max(kept, 0.0), 1.0), queued)


def side_by_side(task: OwnTask, at_once: int, watch: Watch) -> Calls:
    """Call it so many times at once for a while: in threads, or as coroutines of one loop."""
    calls, until_s = Calls(), time.monotonic() + LOAD_S
    watch.begin("a call of the task under load", LOAD_S)
    if task.awaited:
        asyncio.run(_coroutines(task, at_once, calls, until_s))
    else:
        threads = [
            threading.Thread(target=_lane, args=(task, number, calls, until_s)) for number in range(at_once)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    watch.end()
    return calls


def in_processes(at_once: int, watch: Watch) -> Calls:
    """Call it in so many processes at once; raises BlockpointError where one of them dies."""
    spawn = multiprocessing.get_context("spawn")
    watch.begin("a call of the task in a process", LOAD_S + LONGEST_S)
    gathering = spawn.Barrier(at_once)
    with ProcessPoolExecutor(
        at_once, mp_context=spawn, initializer=_gather_at, initargs=(gathering,)
    ) as pool:
        try:
            found = list(pool.map(_process, range(at_once)))
        except Exception as error:
            raise BlockpointError(f"a process that called the task ended: {last_line(error)}") from error
    watch.end()
    calls = Calls()
    for each in found:
        calls.lanes += each.lanes
        calls.errors += each.errors
    return calls


_gathering: Barrier | None = None


def _gather_at(gathering: Barrier) -> None:
    global _gathering  # noqa: PLW0603 -- a barrier is passed to a child only at its start
    _gathering = gathering


def _process(number: int) -> Calls:
    task, calls = own_task().for_timing(), Calls()
    _tried(task.call, number)
    assert _gathering is not None
    _gathering.wait()
    _lane(task, number, calls, time.monotonic() + LOAD_S)
    return calls


def _lane(task: OwnTask, number: int, calls: Calls, until_s: float) -> None:
    lane = calls.lane()
    for task_id in itertools.count(number << 32):
        with calls.timed(lane):
            task.call(task_id)
        if time.monotonic() >= until_s:
            return


async def _coroutines(task: OwnTask, at_once: int, calls: Calls, until_s: float) -> None:
    async def follow(number: int) -> None:
        lane = calls.lane()
        for task_id in itertools.count(number << 32):
            with calls.timed(lane):
                await task.call_awaiting(task_id)
            await asyncio.sleep(0)
            if time.monotonic() >= until_s:
                return

    await asyncio.gather(*map(follow, range(at_once)))


def _warm_up(call: Callable[[int], Any], ids: Iterator[int], watch: Watch) -> None:
    """Call it until it is no longer new, three times where it is short."""
    for _ in range(3):
        watch.begin("the first call of the task")
        began_s = time.perf_counter()
        _tried(call, next(ids))
        watch.end()
        if time.perf_counter() - began_s > SHORTEST_S / 2:
            return


def _tried(call: Callable[[int], Any], task_id: int) -> None:
    calls = Calls()
    with calls.timed(calls.lane()):
        call(task_id)


def _enough(calls: int, elapsed_s: float) -> bool:
    return bool(calls) and (elapsed_s >= LONGEST_S or (calls >= FEWEST_CALLS and elapsed_s >= SHORTEST_S))


def _size(result: Any) -> int:
    try:
        return len(pickle.dumps(result))
    except Exception:
        return sys.getsizeof(result)
