"""procrastinate; by hand: `procrastinate -a targets.strategies.procrastinate.strategy.tuned worker`."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ClassVar

from fastapi import BackgroundTasks
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from psycopg import OperationalError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S
from targets.settings import Settings
from targets.strategies.procrastinate.connector import BackgroundPool, Connector
from targets.strategy import UnreachableError
from targets.task import Task, hex_id
from targets.work import perform, perform_async

MODULE = "targets.strategies.procrastinate.strategy"
TASK = "blockpoint.perform"
TUNED_ATTEMPTS, DURABLE_STARTS = 3, 5
TUNED_POLL_S = 0.5
CONNECTIONS = 10
BEAT_S, STALLED_S, LOOK_EVERY_S = 2.0, 10.0, 5
_settings = Settings.from_environment()
TUNED: dict[str, Any] = {
    "concurrency": _settings.slots,
    "delete_jobs": "successful",
    "fetch_job_polling_interval": TUNED_POLL_S,
}
BEATING = {"update_heartbeat_interval": BEAT_S, "stalled_worker_timeout": STALLED_S}
NOTICED = {"connect_timeout": 2, "keepalives_idle": 5, "keepalives_interval": 2, "tcp_user_timeout": 5000}
"""libpq's words for connections whose other end has vanished"""


def run(context: JobContext, task_id: str, message: dict[str, Any]) -> None:  # noqa: ARG001
    """Do the task in a thread, as procrastinate runs a plain function."""
    perform(Task.from_message(message), context.job.attempts + 1)


async def run_tuned(context: JobContext, task_id: str, message: dict[str, Any]) -> None:  # noqa: ARG001
    """Do the task: waiting on the loop, computing in a thread of our own."""
    task, attempt = Task.from_message(message), context.job.attempts + 1
    if KINDS[task.kind].awaited:
        await perform_async(task, attempt)
    else:
        await asyncio.get_running_loop().run_in_executor(_threads(), perform, task, attempt)


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads that compute; procrastinate's own are as few as `asyncio.to_thread`'s."""
    return ThreadPoolExecutor(_settings.slots)


def _app(work: Callable[..., Any], attempts: int, worker: Mapping[str, Any], **pool: Any) -> App:
    """Return an app whose one task does what every strategy's task does."""
    app = App(connector=Connector(conninfo=_settings.postgresql_url, **pool), worker_defaults={**worker})
    retry = RetryStrategy(max_attempts=attempts - 1) if attempts > 1 else False
    app.task(name=TASK, pass_context=True, retry=retry)(work)
    return app


default = _app(run, 1, {})
tuned = _app(run_tuned, TUNED_ATTEMPTS, TUNED, max_size=CONNECTIONS)
durable = _app(
    run_tuned,
    TUNED_ATTEMPTS,
    {**TUNED, **BEATING},
    max_size=CONNECTIONS,
    kwargs=NOTICED,
    pool_factory=BackgroundPool,
)


async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001
    """Put back what workers without a heartbeat were doing, and give up what has often killed its worker."""
    jobs = durable.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
        ours = job.task_name == TASK
        if ours and job.attempts + 1 < DURABLE_STARTS:
            await jobs.retry_job(job)
        else:
            await jobs.finish_job(job, Status.FAILED, delete_job=not ours)


_looking = durable.task(queueing_lock="retry_stalled", priority=1)(retry_stalled)
durable.periodic(cron=f"* * * * * */{LOOK_EVERY_S}")(_looking)


class ProcrastinateDefault:
    """As shipped: a job at once; what a killed worker was doing stays `doing` for ever."""

    app: ClassVar[App] = default
    workers: Sequence[Sequence[str]] = [["procrastinate", "-a", f"{MODULE}.default", "worker"]]
    queues: Sequence[str] = ("procrastinate_jobs/todo", "procrastinate_jobs/doing")
    max_attempts = 1
    window_s = 0.0
    supervised = False

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        self.services: Mapping[str, Service] = {kind: Service(law="loop", slots=1) for kind in KINDS}
        self.settings: Mapping[str, Any] = {"concurrency": 1, "fetch_job_polling_interval": 5.0}

    async def start(self) -> None:
        """Connect to PostgreSQL."""
        await self.app.open_async()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Insert the job."""
        await self.app.tasks[TASK].defer_async(task_id=hex_id(task.id), message=task.to_message())

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: a job is found by its number only, and deleted ones not at all."""
        return None

    async def stop(self) -> None:
        """Disconnect from PostgreSQL."""
        await self.app.close_async()


class ProcrastinateTuned(ProcrastinateDefault):
    """Tuned: `slots` jobs at once, looked for every 0.5 s where no notification comes."""

    app = tuned
    workers = [["procrastinate", "-a", f"{MODULE}.tuned", "--log-level", "warning", "worker"]]  # noqa: RUF012
    max_attempts = TUNED_ATTEMPTS

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = {kind: Service(law="pool", slots=settings.slots) for kind in KINDS}
        self.settings = {
            **TUNED,
            "concurrency": settings.slots,
            "max_size": CONNECTIONS,
            "log_level": "warning",
        }


class ProcrastinateDurable(ProcrastinateTuned):
    """Durable: a job of a worker whose heartbeat stopped runs again, also one that has completed.

    Tasks must be idempotent. A job that has killed `DURABLE_STARTS` workers is given up as failed.
    """

    app = durable
    workers = [  # noqa: RUF012
        ["targets.supervisor", "procrastinate", "-a", f"{MODULE}.durable", "--log-level", "warning", "worker"]
    ]
    window_s = STALLED_S + LOOK_EVERY_S + 1.0
    supervised = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        looks = {"retry_stalled_every_s": LOOK_EVERY_S, "accept_limit_s": ACCEPT_LIMIT_S}
        self.settings = {**self.settings, **BEATING, **looks, **NOTICED}

    async def start(self) -> None:
        """Connect for a while: the API starts without its broker, and its worker makes the tables."""
        with contextlib.suppress(OperationalError, TimeoutError):
            await asyncio.wait_for(super().start(), ACCEPT_LIMIT_S)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Insert the job; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        inserting = asyncio.create_task(super().submit(task, background))
        # wait_for would also wait until psycopg has cancelled its query, which asks the server that is silent
        await asyncio.wait({inserting}, timeout=ACCEPT_LIMIT_S)
        if not inserting.done():
            inserting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            inserting.cancel()
            raise UnreachableError
        try:
            inserting.result()
        except (ConnectorException, OSError) as error:
            raise UnreachableError from error
