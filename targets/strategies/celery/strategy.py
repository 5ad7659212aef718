"""Celery over Redis; by hand: `celery -A targets.strategies.celery.strategy:tuned worker ...`."""

import asyncio

from targets.serving import alike, pool
from targets.settings import Settings
from targets.strategies.celery.configuration import (
    DURABLE_VISIBILITY_S,
    RENEWED,
    SHIPPED_VISIBILITY_S,
    TUNED_OVER_REDIS,
    durably,
    with_window,
)
from targets.strategies.celery.over_redis import default, durable, late, tuned
from targets.strategies.celery.transport import LOOK_MARGIN_S
from targets.strategies.celery.variants import Durable, Shipped, Tuned
from targets.task import hex_id

STATES = {"STARTED": "started", "RETRY": "started", "SUCCESS": "finished", "FAILURE": "failed"}
UNACKNOWLEDGED = "unacked"
"""where the transport keeps what a worker has fetched and not acknowledged"""


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
        self.services = alike(pool(settings.slots))
        self.workers = [[*self.workers[0][:-1], str(settings.slots), "-P", "threads"]]
        self.settings = {**self.settings, "pool": "threads", "concurrency": settings.slots}


class CeleryTuned(Tuned):
    """Tuned over Redis."""

    queues = (*Tuned.queues, UNACKNOWLEDGED)
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
