"""Times the user's task of this process's settings; its answer goes to a file, as JSON.

`python -m targets.timing ANSWER THREADS PROCESSES LIMIT_S [CORE]...`, the cores being the target's own.
"""

import contextlib
import inspect
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from results.errors import BlockpointError
from targets.own.calls import OwnTask, own_task
from targets.own.resolve import source_digest
from targets.timing.account import UnmeasurableError
from targets.timing.found import Timed, computes
from targets.timing.gil import gil_ms
from targets.timing.phases import in_processes, one_after_another, side_by_side
from targets.timing.watch import Watch

GIL_S: Final = 1.5


def main(answer: Path, threads: int, processes: int, limit_s: float, cores: list[int]) -> None:
    """Time it; what is wrong with it stands in the answer."""

    def write(timed: Timed) -> None:
        answer.write_bytes(msgspec.json.encode(timed))

    watch = Watch(limit_s, lambda problem: write(Timed(problem=problem)))
    try:
        watch.begin("the import of the task")
        task = own_task().for_timing()
        watch.end()
        write(time_it(task, watch, threads, processes, cores))
    except BlockpointError as error:
        write(Timed(problem=str(error)))


def time_it(task: OwnTask, watch: Watch, threads: int, processes: int, cores: list[int]) -> Timed:
    """Time it in every way; raises BlockpointError where every call raises."""
    everywhere = os.sched_getaffinity(0) if cores else set()
    _pin(cores)
    alone = one_after_another(task, watch)
    phase = alone.calls.phase
    if phase.failures == phase.calls:
        raise BlockpointError(f"every call of the task raises: {alone.calls.errors[-1]}")
    _pin(everywhere)
    gil = _gil_share(task, watch, phase.mean_ms, alone.cores)
    _pin(cores)
    many_are_no_use = not task.awaited and computes(alone.cores, alone.queued)
    at_once = max(processes, 2) if many_are_no_use else threads
    beside = side_by_side(task, at_once, watch)
    apart = in_processes(processes, watch)
    errors = [*alone.calls.errors, *beside.errors, *apart.errors]
    return Timed(
        task=_named(task),
        source_sha256=source_digest(task.function),
        awaited=task.awaited,
        alone=phase,
        side_by_side=beside.phase,
        in_processes=apart.phase,
        gil=gil,
        cores=alone.cores,
        loop=alone.loop,
        queued=alone.queued,
        returned_bytes=alone.calls.returned_bytes,
        last_error=errors[-1] if errors else "",
    )


def _gil_share(task: OwnTask, watch: Watch, mean_ms: float, cores: float) -> float:
    """Return the share of its mean time for which a call holds the GIL.

    Where that cannot be measured, it is taken to hold it whenever it is on a core.
    """

    def call(number: int) -> None:
        with contextlib.suppress(Exception, SystemExit):
            task.call(number)

    watch.begin("a call of the task beside a thread that computes", 10 * GIL_S)
    try:
        return gil_ms(call, GIL_S) / mean_ms
    except UnmeasurableError:
        return min(cores, 1.0)
    finally:
        watch.end()


def _pin(cores: "set[int] | list[int]") -> None:
    if cores:
        os.sched_setaffinity(0, cores)


def _named(task: OwnTask) -> str:
    function = inspect.unwrap(task.function)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}:{name}"


if __name__ == "__main__":
    where, *numbers = sys.argv[1:]
    at_once, in_parallel, limit, *core_numbers = numbers
    main(Path(where), int(at_once), int(in_parallel), float(limit), [int(core) for core in core_numbers])
