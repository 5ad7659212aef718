"""Celery over Redis; by hand: `celery -A targets.strategies.celery.strategy:tuned worker ...`."""

import asyncio
from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from results.schema import Service
from results.terms import KINDS
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.celery.application import application, bind_children
from targets.strategies.celery.configuration import (
    DURABLE_VISIBILITY_S,
    RENEWED,
    SHIPPED_VISIBILITY_S,
    TUNED_ATTEMPTS,
    TUNED_OVER_REDIS,
    durably,
    with_window,
)
from targets.strategies.celery.transport import LOOK_MARGIN_S, SecondLook
from targets.strategies.celery.variants import COMPUTING, WAITING, Durable, Shipped, Tuned
from targets.task import hex_id

STATES = {"STARTED": "started", "RETRY": "started", "SUCCESS": "finished", "FAILURE": "failed"}
UNACKNOWLEDGED = "unacked"
"""where the transport keeps what a worker has fetched and not acknowledged"""
CHECKED = "redis-checked"
"""a transport that drops forged messages, which would end the durable worker again and again"""
TRANSPORT_ALIASES[CHECKED] = "targets.strategies.celery.transport:Transport"
SETTINGS = Settings.from_environment()
SERVER = RedisServer.parse(SETTINGS.redis_url)


def _location(transport: str = "") -> str:
    """Return the server's URL as Celery and kombu read it, which take the options of TLS as settings."""
    scheme, _, rest = SERVER.address.partition("://")
    if SERVER.path:
        return f"{transport or 'redis'}+socket://{rest}?virtual_host={SERVER.database}"
    return f"{transport or scheme}://{rest}"


def _app(name: str, attempts: int, **configuration: Any) -> Celery:
    tls = dict(SERVER.tls) or None
    secured = {"broker_use_ssl": tls, "redis_backend_use_ssl": tls}
    return application(f"blockpoint-{name}", _location(), attempts, **secured, **configuration)


SHIPPED = with_window({"result_backend": _location()}, SETTINGS)
default = _app("default", 1, **SHIPPED)
late = _app("late", 1, **SHIPPED, task_acks_late=True)
tuned = _app("tuned", TUNED_ATTEMPTS, **with_window(TUNED_OVER_REDIS, SETTINGS))
durable = _app("durable", TUNED_ATTEMPTS, **durably(SETTINGS), broker_url=_location(CHECKED))
bind_children(durable)
if not RENEWED:
    durable.steps["consumer"].add(SecondLook)


class CeleryDefault(Shipped):
    """As shipped, with results in Redis."""

    queues = (*Shipped.queues, UNACKNOWLEDGED)
    app, where = default, f"{__name__}:default"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or SHIPPED_VISIBILITY_S
        self.settings = {**self.settings, "results": "redis", **with_window({}, settings)}

    async def state(self, task_id: int) -> str | None:
        """Return the state in Celery's result backend; None while it is pending there."""
        state = await asyncio.to_thread(lambda: self.app.AsyncResult(hex_id(task_id)).state)
        return STATES.get(state)


class CeleryLate(CeleryDefault):
    """As shipped but for `task_acks_late`, often advised alone: it does not save a killed child's task."""

    app, where = late, f"{__name__}:late"

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


class CeleryTuned(Tuned):
    """Tuned over Redis."""

    queues = (WAITING, COMPUTING, UNACKNOWLEDGED)
    app, where = tuned, f"{__name__}:tuned"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or SHIPPED_VISIBILITY_S
        self.settings = {**self.settings, **with_window(TUNED_OVER_REDIS, settings)}


class CeleryDurable(Durable):
    """Durable over Redis.

    What a killed worker held is hidden for the visibility timeout and the next worker's start: some 95 s.
    """

    queues = CeleryTuned.queues
    app, where = durable, f"{__name__}:durable"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or DURABLE_VISIBILITY_S
        looks = {} if RENEWED else {"second_look_s": self.window_s + LOOK_MARGIN_S}
        self.settings = {**self.settings, **looks, **durably(settings)}
