"""The one body of work of each kind, and the recording around it."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from results.terms import KINDS, Moment
from targets import cache as writes
from targets import calls, mails
from targets.ledger import ledger
from targets.own.calls import own_task
from targets.own.resolve import last_line
from targets.settings import Settings, variable
from targets.task import Task

_BUFFER = bytes(65_536)


class TaskFailedError(RuntimeError):
    """Raised by a task that was asked to fail."""


@cache
def surroundings() -> Settings:
    """Return the settings of this process, by which a task finds the servers that it needs."""
    return Settings.from_environment()


def _sleep(units: float) -> None:
    time.sleep(units / 1000)


async def _sleep_awaiting(units: float) -> None:
    await asyncio.sleep(units / 1000)


def _http(units: float) -> None:
    calls.call(surroundings().http_sink, units)


async def _http_awaiting(units: float) -> None:
    await calls.call_awaiting(surroundings().http_sink, units)


def _smtp(units: float) -> None:
    mails.send(surroundings().smtp_sink, units)


async def _smtp_awaiting(units: float) -> None:
    await mails.send_awaiting(surroundings().smtp_sink, units)


def _cache(units: float) -> None:
    writes.write(surroundings().cache_url, units)


async def _cache_awaiting(units: float) -> None:
    await writes.write_awaiting(surroundings().cache_url, units)


def _own(task_id: int) -> None:
    with _theirs():
        own_task().call(task_id)


async def _own_awaiting(task_id: int) -> None:
    with _theirs():
        await own_task().call_awaiting(task_id)


@contextmanager
def _theirs() -> Iterator[None]:
    """Have whatever the user's code raises end its task as a failed one, which a strategy may try again."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise TaskFailedError(last_line(error)) from error


async def hang_up() -> None:
    """Close what the tasks of this event loop were connected to."""
    await calls.close()
    await writes.close()


def _cpu(units: float) -> None:
    state = 1
    for _ in range(int(units)):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF


def _cpu_native(units: float) -> None:
    digest = hashlib.sha256()
    for _ in range(int(units)):
        digest.update(_BUFFER)


@dataclass(frozen=True)
class Body:
    """What a kind of task does; its argument is an amount of units, unless `told` says otherwise."""

    blocking: Callable[[Any], None]
    awaiting: Callable[[Any], Awaitable[None]] | None = None
    """the same in a coroutine; None where there is nothing to await"""
    told: Callable[[Task], Any] = attrgetter("units")
    """what of the task is its argument"""


BODIES = {
    "sleep": Body(_sleep, _sleep_awaiting),
    "http": Body(_http, _http_awaiting),
    "smtp": Body(_smtp, _smtp_awaiting),
    "cache": Body(_cache, _cache_awaiting),
    "cpu": Body(_cpu),
    "cpu_native": Body(_cpu_native),
    "own_wait": Body(_own, told=attrgetter("id")),
    "own_compute": Body(_own, told=attrgetter("id")),
    "own_await": Body(_own, _own_awaiting, told=attrgetter("id")),
}
"""by the name of the kind, see `results.terms.KINDS`"""


def calibrate(kind: str, target_s: float = 0.1) -> float:
    """Return the units of a computing kind that take one millisecond on an undisturbed core.

    CPU time of this thread is counted, and the fastest of five runs taken: noise only ever adds time.
    """
    body = BODIES[kind].blocking
    units = 16
    while True:
        elapsed_s = _cpu_s(body, units)
        if elapsed_s >= target_s / 10:
            break
        units *= 2
    return units / (min(elapsed_s, *(_cpu_s(body, units) for _ in range(4))) * 1000)


def _cpu_s(body: Callable[[float], None], units: float) -> float:
    started_s = time.thread_time()
    body(units)
    return time.thread_time() - started_s


@cache
def units_per_ms(kind: str, settings: Settings) -> float:
    """Return how many units of a kind make a millisecond, from the settings or calibrated now."""
    if KINDS[kind].held or KINDS[kind].own:
        return 1.0
    if given := float(getattr(settings, f"units_per_ms_{kind}")):
        return given
    return writes.round_trips_per_ms(settings.cache_url) if kind == "cache" else calibrate(kind)


@contextmanager
def recorded(task: Task, attempt: int = 1) -> Iterator[None]:
    """Record when the work in this block starts and how it ends, and fail or kill where a client asked to.

    Whatever a task runs has to stand in such a block, in the process and at the time in which it runs; it may
    await. Raises TaskFailedError, without work, where the task is to fail.
    """
    record = ledger().record
    record(task.id, Moment.STARTED, attempt)
    if task.kill_first and ledger().starts(task.id) in range(1, task.kill_first + 1):
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        if attempt <= task.fail_first:
            raise TaskFailedError(f"attempt {attempt} of {task.fail_first} that were asked to fail")
        yield
    except Exception:
        record(task.id, Moment.FAILED, attempt)
        raise
    except asyncio.CancelledError:
        record(task.id, Moment.INTERRUPTED, attempt)
        raise
    record(task.id, Moment.FINISHED, attempt)


def perform(task: Task, attempt: int = 1) -> None:
    """Do the task, blocking the calling thread; raises TaskFailedError where it is to fail."""
    body = BODIES[task.kind]
    with recorded(task, attempt):
        body.blocking(body.told(task))


async def perform_async(task: Task, attempt: int = 1) -> None:
    """Do the task as a coroutine, which awaits what can be awaited; computing holds the event loop."""
    body = BODIES[task.kind]
    with recorded(task, attempt):
        if body.awaiting:
            await body.awaiting(body.told(task))
        else:
            body.blocking(body.told(task))


if os.environ.get(variable("own_task")):
    own_task()  # before any process forks and any task comes, as a user's own module would import it
