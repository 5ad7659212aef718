"""Celery over Redis; `celery -A targets.strategies.celery:tuned worker ...` starts a worker by hand."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from celery import Celery
from celery import Task as CeleryTask
from fastapi import BackgroundTasks

from results.schema import KINDS, Service
from targets.settings import Settings
from targets.strategy import Definition, Variant
from targets.task import Task, hex_id
from targets.work import TaskFailedError, perform

MODULE = "targets.strategies.celery"
TASK = "blockpoint.perform"
STATES = {"STARTED": "started", "RETRY": "started", "SUCCESS": "finished", "FAILURE": "failed"}
UNACKNOWLEDGED = "unacked"
"""where the transport keeps what a worker has fetched and not acknowledged"""
TUNED_ATTEMPTS = 3
TUNED: dict[str, Any] = {
    "task_ignore_result": True,
    # With a limit, the worker's loop sleeps once that many messages wait for their acknowledgement: one
    # that comes from a pool thread does not wake it (docs/strategies.md).
    "worker_prefetch_multiplier": 0,
    "broker_transport_options": {
        "socket_timeout": 5.0,
        "socket_connect_timeout": 2.0,
        "socket_keepalive": True,
    },
}
PUBLISHERS = 4


def _app(name: str, attempts: int, **configuration: Any) -> Celery:
    """Return an app whose one task does what every strategy's task does."""
    url = Settings.from_environment().redis_url
    app = Celery(name, broker=url)
    app.conf.update(accept_content=["json"], broker_connection_retry_on_startup=True, **configuration)

    @app.task(name=TASK, bind=True, max_retries=attempts - 1, shared=False)
    def run(self: "CeleryTask[Any, Any]", message: dict[str, Any]) -> None:
        attempt = self.request.retries + 1
        try:
            perform(Task.from_message(message), attempt)
        except TaskFailedError as error:
            if attempt >= attempts:
                raise
            raise self.retry(exc=error, countdown=0) from error

    return app


default = _app("blockpoint-default", 1, result_backend=Settings.from_environment().redis_url)
tuned = _app("blockpoint-tuned", TUNED_ATTEMPTS, **TUNED)


class CeleryDefault:
    """As shipped: `.delay()` called in the coroutine, results kept in Redis, one child a core."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = ("celery", UNACKNOWLEDGED)
    max_attempts = 1

    def __init__(self, _settings: Settings) -> None:
        children = os.cpu_count() or 1
        self.services: Mapping[str, Service] = {
            kind: Service(law="pool", slots=children, processes=children) for kind in KINDS
        }
        self.workers = [["celery", "-A", f"{MODULE}:default", "worker", "-c", str(children)]]
        self.settings: Mapping[str, Any] = {"pool": "prefork", "concurrency": children, "results": "redis"}

    async def start(self) -> None:
        """Do nothing: Celery connects at the first publish."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task, blocking the event loop meanwhile, as a call of `.delay()` does."""
        default.tasks[TASK].apply_async((task.to_message(),), task_id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:
        """Return the state in Celery's result backend; None while it is pending there."""
        state = await asyncio.to_thread(lambda: default.AsyncResult(hex_id(task_id)).state)
        return STATES.get(state)

    async def stop(self) -> None:
        """Close the connections to the broker."""
        await asyncio.to_thread(default.close)


class CeleryTuned:
    """Tuned: no results, publishing off the event loop, threads for waiting and prefork for computing."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = ("waiting", "computing", UNACKNOWLEDGED)
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        computing = Service(law="pool", slots=settings.cores, processes=settings.cores)
        self.services: Mapping[str, Service] = {
            "sleep": Service(law="pool", slots=settings.slots),
            "cpu": computing,
            "cpu_native": computing,
        }
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        common = ["celery", "-A", f"{MODULE}:tuned", "worker", *quiet]
        self.workers = [
            [*common, "-n", "waiting@%h", "-Q", "waiting", "-P", "threads", "-c", str(settings.slots)],
            [*common, "-n", "computing@%h", "-Q", "computing", "-P", "prefork", "-c", str(settings.cores)],
        ]
        self.settings: Mapping[str, Any] = {"pool": "threads and prefork", "results": "ignored", **TUNED}

    async def start(self) -> None:
        """Make the threads that publish."""
        self._publishers = ThreadPoolExecutor(PUBLISHERS, thread_name_prefix="publish")

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread of this strategy's own."""
        publish = partial(
            tuned.tasks[TASK].apply_async,
            (task.to_message(),),
            task_id=hex_id(task.id),
            queue="waiting" if task.kind == "sleep" else "computing",
        )
        await asyncio.get_running_loop().run_in_executor(self._publishers, publish)

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: results are ignored."""
        return None

    async def stop(self) -> None:
        """Wait for publishes under way and close the connections to the broker."""
        await asyncio.to_thread(self._publishers.shutdown)
        await asyncio.to_thread(tuned.close)


definition = Definition(
    name="celery",
    summary="Celery worker processes over Redis",
    variants={
        "default": Variant(
            "prefork with a child a core of the machine, results in Redis, .delay() in the coroutine",
            CeleryDefault,
        ),
        "tuned": Variant(
            "results ignored, publishing off the loop, socket time-outs, no prefetch limit, no gossip, "
            "mingle or heartbeat; `slots` threads for waiting tasks, prefork for computing ones",
            CeleryTuned,
        ),
    },
    requires={"celery": "5.6.3", "kombu": "5.6.2", "redis": "5.3.1"},
)
