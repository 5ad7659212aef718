"""Celery over Redis; by hand: `celery -A targets.strategies.celery.strategy:tuned worker ...`."""

import asyncio
import gc
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar

from celery import Celery, current_app
from celery import Task as CeleryTask
from celery.signals import worker_before_create_process, worker_process_init
from fastapi import BackgroundTasks
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from results.schema import Service
from results.terms import KINDS
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.celery.configuration import (
    DURABLE_VISIBILITY_S,
    RENEWED,
    SHIPPED_VISIBILITY_S,
    TUNED,
    TUNED_ATTEMPTS,
    durably,
    with_window,
)
from targets.strategies.celery.transport import LOOK_MARGIN_S, SecondLook
from targets.strategy import UnreachableError
from targets.supervisor import die_with
from targets.task import Task, hex_id
from targets.work import TaskFailedError, perform

MODULE = "targets.strategies.celery.strategy"
TASK = "blockpoint.perform"
STATES = {"STARTED": "started", "RETRY": "started", "SUCCESS": "finished", "FAILURE": "failed"}
UNACKNOWLEDGED = "unacked"
"""where the transport keeps what a worker has fetched and not acknowledged"""
PUBLISHERS = 4
CHECKED = "redis-checked"
"""a transport that drops forged messages, which would end the durable worker again and again"""
TRANSPORT_ALIASES[CHECKED] = "targets.strategies.celery.transport:Transport"
ACCEPT_LIMIT_S = 3.0
ANOTHERS = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")
"""variables that Celery prefers to any configuration: a shell holds them for an application of its own"""
for _name in ANOTHERS:
    os.environ.pop(_name, None)


def _location(server: RedisServer, transport: str = "") -> str:
    """Return the server's URL as Celery and kombu read it, which take the options of TLS as settings."""
    scheme, _, rest = server.address.partition("://")
    if server.path:
        return f"{transport or 'redis'}+socket://{rest}?virtual_host={server.database}"
    return f"{transport or scheme}://{rest}"


SETTINGS = Settings.from_environment()
SERVER = RedisServer.parse(SETTINGS.redis_url)


def _app(name: str, attempts: int, **configuration: Any) -> Celery:
    """Return an app whose one task does what every strategy's task does."""
    app = Celery(name, broker=_location(SERVER))
    app.conf.update(accept_content=["json"], broker_connection_retry_on_startup=True)
    app.conf.update(broker_use_ssl=dict(SERVER.tls) or None, redis_backend_use_ssl=dict(SERVER.tls) or None)
    app.conf.update(configuration)

    @app.task(name=TASK, bind=True, max_retries=attempts - 1, default_retry_delay=0, shared=False)
    def run(self: "CeleryTask[Any, Any]", message: dict[str, Any]) -> None:
        attempt = self.request.retries + 1
        try:
            perform(Task.from_message(message), attempt)
        except TaskFailedError as error:
            if attempt >= attempts:
                raise
            raise self.retry(exc=error, countdown=0) from error

    return app


SHIPPED = with_window({"result_backend": _location(SERVER)}, SETTINGS)
default = _app("blockpoint-default", 1, **SHIPPED)
late = _app("blockpoint-late", 1, **SHIPPED, task_acks_late=True)
tuned = _app("blockpoint-tuned", TUNED_ATTEMPTS, **with_window(TUNED, SETTINGS))
durable = _app(
    "blockpoint-durable", TUNED_ATTEMPTS, **durably(SETTINGS), broker_url=_location(SERVER, CHECKED)
)


@worker_before_create_process.connect
def share_memory(**_: object) -> None:
    """Keep the collector off what the durable worker's children inherit, or each soon has a copy of its own.

    Twenty children took 624 MiB without and 163 MiB with it.
    """
    if current_app.main == durable.main:
        gc.freeze()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """Let no child of the durable worker outlive it: its task would run on beside its own redelivery."""
    if current_app.main == durable.main:
        die_with(os.getppid())


if not RENEWED:
    durable.steps["consumer"].add(SecondLook)


class CeleryDefault:
    """As shipped: `.delay()` called in the coroutine, results kept in Redis, one child a core."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = ("celery", UNACKNOWLEDGED)
    max_attempts = 1
    supervised = False
    app: ClassVar[Celery] = default
    app_name: ClassVar[str] = "default"

    def __init__(self, settings: Settings) -> None:
        children = os.cpu_count() or 1
        self.window_s = settings.visibility_s or SHIPPED_VISIBILITY_S
        self.services: Mapping[str, Service] = {
            kind: Service(law="pool", slots=children, processes=children) for kind in KINDS
        }
        self.workers = [["celery", "-A", f"{MODULE}:{self.app_name}", "worker", "-c", str(children)]]
        self.settings: Mapping[str, Any] = {
            "pool": "prefork",
            "concurrency": children,
            "results": "redis",
            **with_window({}, settings),
        }

    async def start(self) -> None:
        """Do nothing: Celery connects at the first publish."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task, blocking the event loop meanwhile, as a call of `.delay()` does."""
        self.app.tasks[TASK].apply_async((task.to_message(),), task_id=hex_id(task.id))

    async def state(self, task_id: int) -> str | None:
        """Return the state in Celery's result backend; None while it is pending there."""
        state = await asyncio.to_thread(lambda: self.app.AsyncResult(hex_id(task_id)).state)
        return STATES.get(state)

    async def stop(self) -> None:
        """Close the connections to the broker."""
        await asyncio.to_thread(self.app.close)


class CeleryLate(CeleryDefault):
    """As shipped but for `task_acks_late`, often advised alone: it does not save a killed child's task."""

    app = late
    app_name = "late"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = {**self.settings, "task_acks_late": True}


class CeleryThreads(CeleryDefault):
    """As shipped but for threads instead of children, as for tasks that wait: `-P threads -c` slots."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = {kind: Service(law="pool", slots=settings.slots) for kind in KINDS}
        self.workers = [[*self.workers[0][:-1], str(settings.slots), "-P", "threads"]]
        self.settings = {**self.settings, "pool": "threads", "concurrency": settings.slots}


def _worker(app_name: str, queue: str, pool: str, slots: int) -> list[str]:
    """Return the command of a worker of one queue, which talks to no other worker."""
    command = ["celery", "-A", f"{MODULE}:{app_name}", "worker"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [*command, "-n", f"{queue}@%h", "-Q", queue, "-P", pool, "-c", str(slots)]


class CeleryTuned:
    """Tuned: no results, publishing off the event loop, threads for waiting and prefork for computing."""

    workers: Sequence[Sequence[str]]
    queues: Sequence[str] = ("waiting", "computing", UNACKNOWLEDGED)
    max_attempts = TUNED_ATTEMPTS
    supervised = False
    app: ClassVar[Celery] = tuned

    def __init__(self, settings: Settings) -> None:
        self.window_s = settings.visibility_s or SHIPPED_VISIBILITY_S
        computing = Service(law="pool", slots=settings.cores, processes=settings.cores)
        self.services: Mapping[str, Service] = {
            "sleep": Service(law="pool", slots=settings.slots),
            "cpu": computing,
            "cpu_native": computing,
        }
        self.workers = [
            _worker("tuned", "waiting", "threads", settings.slots),
            _worker("tuned", "computing", "prefork", settings.cores),
        ]
        self.settings: Mapping[str, Any] = {
            "pool": "threads and prefork",
            "results": "ignored",
            **with_window(TUNED, settings),
        }

    async def start(self) -> None:
        """Make the threads that publish."""
        self._publishers = ThreadPoolExecutor(PUBLISHERS, thread_name_prefix="publish")

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread of this strategy's own."""
        await self._publish(task)

    def _publish(self, task: Task) -> asyncio.Future[Any]:
        publish = partial(
            self.app.tasks[TASK].apply_async,
            (task.to_message(),),
            task_id=hex_id(task.id),
            queue="waiting" if task.kind == "sleep" else "computing",
        )
        return asyncio.get_running_loop().run_in_executor(self._publishers, publish)

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: results are ignored."""
        return None

    async def stop(self) -> None:
        """Wait for publishes under way and close the connections to the broker."""
        await asyncio.to_thread(self._publishers.shutdown)
        await asyncio.to_thread(self.app.close)


class CeleryDurable(CeleryTuned):
    """Durable: a task leaves the broker when it has ended, however its worker fares.

    A task may be delivered a second time, also one that has completed: it must be idempotent. One that kills
    its child is tried three times in all, before Celery 5.7 for ever. What a killed worker held is hidden for
    the visibility timeout and the next worker's start: some 95 s.
    """

    supervised = True
    app = durable

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or DURABLE_VISIBILITY_S
        children = Service(law="pool", slots=settings.slots, processes=settings.slots)
        self.services = {**self.services, "sleep": children}
        self.workers = [
            ["targets.supervisor", *_worker("durable", "waiting", "prefork", settings.slots)],
            ["targets.supervisor", *_worker("durable", "computing", "prefork", settings.cores)],
        ]
        self.settings = {
            "pool": "prefork",
            "results": "ignored",
            "accept_limit_s": ACCEPT_LIMIT_S,
            **({} if RENEWED else {"second_look_s": self.window_s + LOOK_MARGIN_S}),
            **durably(settings),
        }

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        try:
            await asyncio.wait_for(self._publish(task), ACCEPT_LIMIT_S)
        except (OperationalError, OSError) as error:
            raise UnreachableError from error
