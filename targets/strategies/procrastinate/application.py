"""procrastinate's application of each variant, with the one task of every strategy."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from procrastinate import App, JobContext, RetryStrategy
from procrastinate.jobs import Status

from results.terms import KINDS
from targets.settings import Settings
from targets.strategies.procrastinate.connector import BackgroundPool, Connector
from targets.task import Task
from targets.work import perform, perform_async

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
