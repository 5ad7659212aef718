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
from targets.strategies.celery.transport import LOOK_MARGIN_S, SecondLook
from targets.strategy import UnreachableError
from targets.supervisor import die_with
from targets.task import MAX_DURATION_MS, Task, hex_id
from targets.work import TaskFailedError, perform

MODULE = "targets.strategies.celery.strategy"
TASK = "blockpoint.perform"
STATES = {"STARTED": "started", "RETRY": "started", "SUCCESS": "finished", "FAILURE": "failed"}
UNACKNOWLEDGED = "unacked"
"""where the transport keeps what a worker has fetched and not acknowledged"""
SHIPPED_VISIBILITY_S = 3600.0
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
CHECKED = "redis-checked"
"""a transport that drops forged messages, which would end the durable worker again and again"""
TRANSPORT_ALIASES[CHECKED] = "targets.strategies.celery.transport:Transport"
DURABLE_VISIBILITY_S = MAX_DURATION_MS / 1000 + 30
"""longer than the longest task, which would run twice"""
ACCEPT_LIMIT_S = 3.0
DURABLE: dict[str, Any] = {
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_publish_retry_policy": {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_soft_shutdown_timeout": 10.0,
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "visibility_timeout": DURABLE_VISIBILITY_S,
        "unacked_mutex_expire": 10,
        "socket_timeout": 5.0,
        "socket_connect_timeout": 2.0,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": True,
    },
}


ANOTHERS = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")
"""variables that Celery prefers to any configuration: a shell holds them for an application of its own"""
for _name in ANOTHERS:
    os.environ.pop(_name, None)


def with_window(configuration: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the configuration with the settings' visibility timeout where they name one."""
    if not settings.visibility_s:
        return dict(configuration)
    options = {
        **configuration.get("broker_transport_options", {}),
        "visibility_timeout": settings.visibility_s,
    }
    return {**configuration, "broker_transport_options": options}


def _location(server: RedisServer, transport: str = "") -> str:
    """Return the server's URL as Celery and kombu read it, which take the options of TLS as settings."""
    scheme, _, rest = server.address.partition("://")
    if server.path:
        return f"{transport or 'redis'}+socket://{rest}?virtual_host={server.database}"
    return f"{transport or scheme}://{rest}"


SERVER = RedisServer.parse(Settings.from_environment().redis_url)


def _app(name: str, attempts: int, **configuration: Any) -> Celery:
    """Return an app whose one task does what every strategy's task does."""
    settings = Settings.from_environment()
    app = Celery(name, broker=_location(SERVER))
    app.conf.update(accept_content=["json"], broker_connection_retry_on_startup=True)
    app.conf.update(broker_use_ssl=dict(SERVER.tls) or None, redis_backend_use_ssl=dict(SERVER.tls) or None)
    app.conf.update(with_window(configuration, settings))

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


default = _app("blockpoint-default", 1, result_backend=_location(SERVER))
late = _app("blockpoint-late", 1, result_backend=_location(SERVER), task_acks_late=True)
tuned = _app("blockpoint-tuned", TUNED_ATTEMPTS, **TUNED)
durable = _app("blockpoint-durable", TUNED_ATTEMPTS, **DURABLE, broker_url=_location(SERVER, CHECKED))


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
            queue="waiting" if KINDS[task.kind].awaited else "computing",
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
    its child is delivered again for ever: nothing counts deliveries on Redis. What a killed worker held is
    hidden for the visibility timeout, the next worker's start and a second: some 95 s.
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
            "second_look_s": self.window_s + LOOK_MARGIN_S,
            **with_window(DURABLE, settings),
        }

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task from a thread; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        try:
            await asyncio.wait_for(self._publish(task), ACCEPT_LIMIT_S)
        except (OperationalError, OSError) as error:
            raise UnreachableError from error
