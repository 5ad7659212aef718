"""procrastinate; by hand: `procrastinate -a targets.strategies.procrastinate.strategy.tuned worker`."""

import asyncio
import contextlib
from typing import ClassVar

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg import OperationalError

from results.schema import Service
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import Durable, Queue, commands, under_supervisor
from targets.serving import alike, pool
from targets.settings import Settings
from targets.strategies.procrastinate.application import (
    BEATING,
    CONNECTIONS,
    LOOK_EVERY_S,
    NOTICED,
    STALLED_S,
    TASK,
    TUNED,
    TUNED_ATTEMPTS,
    default,
    durable,
    tuned,
)
from targets.task import Task, hex_id

MODULE = "targets.strategies.procrastinate.strategy"


def _worker(app: str, *options: str) -> list[str]:
    return ["procrastinate", "-a", f"{MODULE}.{app}", *options, "worker"]


class ProcrastinateDefault(Queue):
    """As shipped: a job at once; what a killed worker was doing stays `doing` for ever."""

    app: ClassVar[App] = default
    workers = commands(_worker("default"))
    queues = ("procrastinate_jobs/todo", "procrastinate_jobs/doing")

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        self.services = alike(Service(law="loop", slots=1))
        self.settings = {"concurrency": 1, "fetch_job_polling_interval": 5.0}

    async def start(self) -> None:
        """Connect to PostgreSQL."""
        await self.app.open_async()

    async def publish(self, task: Task) -> None:
        """Insert the job."""
        await self.app.tasks[TASK].defer_async(task_id=hex_id(task.id), message=task.to_message())

    async def stop(self) -> None:
        """Disconnect from PostgreSQL."""
        await self.app.close_async()


class ProcrastinateTuned(ProcrastinateDefault):
    """Tuned: `slots` jobs at once, looked for every 0.5 s where no notification comes."""

    app = tuned
    workers = commands(_worker("tuned", "--log-level", "warning"))
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = alike(pool(settings.slots))
        self.settings = {
            **TUNED,
            "concurrency": settings.slots,
            "max_size": CONNECTIONS,
            "log_level": "warning",
        }


class ProcrastinateDurable(Durable, ProcrastinateTuned):
    """Durable: a job of a worker whose heartbeat stopped runs again, also one that has completed.

    Tasks must be idempotent. A job that has killed `DURABLE_STARTS` workers is given up as failed.
    """

    app = durable
    workers = under_supervisor(_worker("durable", "--log-level", "warning"))
    unreachable = (ConnectorException, OSError)
    window_s = STALLED_S + LOOK_EVERY_S + 1.0

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        looks = {"retry_stalled_every_s": LOOK_EVERY_S, "accept_limit_s": ACCEPT_LIMIT_S}
        self.settings = {**self.settings, **BEATING, **looks, **NOTICED}

    async def start(self) -> None:
        """Connect for a while: the API starts without its broker, and its worker makes the tables."""
        with contextlib.suppress(OperationalError, TimeoutError):
            await asyncio.wait_for(super().start(), ACCEPT_LIMIT_S)
