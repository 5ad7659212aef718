"""What Celery lets an operator see: results, remote control of the workers, and the queue's keys."""

import importlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import redis
from celery import Celery

from targets.operators.operator import (
    CANCELLED,
    FAILED,
    FINISHED,
    NO,
    NOTHING,
    RUNNING,
    WAITING,
    YES,
    Asked,
    Operator,
    Said,
    timed,
)
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.celery import MODULE, UNACKNOWLEDGED
from targets.strategy import find

TIMEOUT_S = 1.0
"""Celery's own default: how long remote control collects replies"""
STATES = {
    "PENDING": WAITING,
    "RECEIVED": WAITING,
    "RETRY": WAITING,
    "STARTED": RUNNING,
    "SUCCESS": FINISHED,
    "FAILURE": FAILED,
    "REVOKED": CANCELLED,
}
NO_BACKEND = (NotImplementedError, AttributeError)
"""what an app without a result backend raises: the latter in Celery 5.6, asked for a state"""


@dataclass(frozen=True)
class Lists:
    """What the workers said to one command of remote control, asked once for all questions."""

    by_worker: Mapping[str, list[dict[str, Any]]]
    took_ms: float

    def find(self, task_id: str) -> dict[str, Any] | None:
        """Return what is said of a task."""
        tasks = (task for tasks in self.by_worker.values() for task in tasks)
        return next((task for task in tasks if task["id"] == task_id), None)


class CeleryOperator(Operator):
    """Asks through an app configured like the workers'."""

    def __init__(self, app: Celery, queues: list[str], redis_url: str) -> None:
        self._app = app
        self._queues = queues
        self._redis: Any = redis.Redis.from_url(redis_url)

    def state(self, task_id: str) -> Iterator[Asked]:
        """Ask the result backend, then the workers for their lists."""

        def in_backend() -> Said:
            word = str(self._app.AsyncResult(task_id).state)
            return word, STATES.get(word, "")

        def at_workers() -> Said:
            if self._active.find(task_id):
                return "active", RUNNING
            return ("reserved", WAITING) if self._reserved.find(task_id) else NOTHING

        yield timed("AsyncResult.state", in_backend, *NO_BACKEND)
        yield "inspect active, reserved", at_workers(), max(self._active.took_ms, self._reserved.took_ms)

    def reason(self, task_id: str) -> Iterator[Asked]:
        """Ask the result backend for what the task raised."""

        def raised() -> Said:
            result = self._app.AsyncResult(task_id).result
            return (str(result), str(result)) if isinstance(result, Exception) else NOTHING

        yield timed("AsyncResult.result", raised, *NO_BACKEND)

    def runner(self, task_id: str) -> Iterator[Asked]:
        """Ask the workers which of their processes runs the task."""
        task = self._active.find(task_id)
        said = (f"worker_pid {task['worker_pid']}", str(task["worker_pid"])) if task else NOTHING
        yield "inspect active", said, self._active.took_ms

    def depth(self) -> Iterator[Asked]:
        """Ask for the queue's length, the same and what workers have fetched, and the workers' lists."""

        def queued() -> int:
            return sum(int(self._redis.llen(name)) for name in self._queues)

        yield timed("LLEN of the queue", lambda: _counted(queued()))
        yield timed(
            f"LLEN of the queue + HLEN {UNACKNOWLEDGED}",
            lambda: _counted(queued() + int(self._redis.hlen(UNACKNOWLEDGED))),
        )
        lists = self._reserved.by_worker
        said = _counted(sum(len(tasks) for tasks in lists.values())) if lists else NOTHING
        yield "inspect reserved", said, self._reserved.took_ms

    def workers(self) -> Iterator[Asked]:
        """Ping the workers."""

        def ping() -> Said:
            replies = self._app.control.ping(timeout=TIMEOUT_S)
            return (f"{len(replies)} said pong", YES) if replies else ("no reply", NO)

        yield timed("inspect ping", ping)

    def cancel(self, task_id: str) -> Iterator[Asked]:
        """Tell the workers to drop the task when its turn comes."""

        def revoke() -> Said:
            replies = self._app.control.revoke(task_id, reply=True, timeout=TIMEOUT_S)
            words = [str(said.get("ok", said)) for reply in replies or [] for said in reply.values()]
            return (words[0], CANCELLED) if words else NOTHING

        yield timed("control.revoke", revoke)

    @property
    def _active(self) -> Lists:
        return self._lists[0]

    @property
    def _reserved(self) -> Lists:
        return self._lists[1]

    @cached_property
    def _lists(self) -> tuple[Lists, Lists]:
        with ThreadPoolExecutor() as pool:
            active, reserved = pool.map(self._collected, ("active", "reserved"))
        return active, reserved

    def _collected(self, command: str) -> Lists:
        began_ns = time.perf_counter_ns()
        found = getattr(self._app.control.inspect(timeout=TIMEOUT_S), command)() or {}
        return Lists(found, (time.perf_counter_ns() - began_ns) / 1e6)


def operator(variant: str) -> CeleryOperator:
    """Return who asks the app of that variant."""
    settings = Settings.from_environment()
    queues = [name for name in find("celery").build(variant, settings).queues if name != UNACKNOWLEDGED]
    redis_url = RedisServer.parse(settings.redis_url).url
    return CeleryOperator(getattr(importlib.import_module(MODULE), variant), queues, redis_url)


def _counted(number: int) -> Said:
    return str(number), str(number)
