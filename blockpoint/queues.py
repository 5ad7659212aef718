"""Carries a task's id through the messages of some queues, and notes in the worker what becomes of it.

Call `celery()` once in the module that both the web process and the worker import; give `taskiq()` and
`dramatiq()` to their brokers as middleware; decorate ARQ's functions with `arq`. For other queues see
`blockpoint.observe.label`.
"""

import functools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from blockpoint.observe import (
    FAILED,
    FINISHED,
    LABEL,
    RECORDING,
    STARTED,
    Running,
    enter,
    label,
    parsed,
    record,
    taken,
)

_run: ContextVar[tuple[int, int] | None] = ContextVar("blockpoint_run", default=None)
"""the task and its try, as it began: a library may count on before it tells of the end"""


def _begin(label_of: Any, attempt: int) -> None:
    task_id = parsed(label_of)
    enter(task_id, running=True)
    _run.set(None if task_id is None else (task_id, attempt))
    if task_id is not None:
        record(task_id, STARTED, attempt)


def _end(moment: int | None) -> None:
    run = _run.get()
    enter(None)
    _run.set(None)
    if run is not None and moment is not None:
        record(run[0], moment, run[1])


def celery() -> None:
    """Connect to Celery's signals; a run that ends in a retry is followed by its next start."""
    if not RECORDING:
        return
    from celery import signals

    def publish(headers: dict[str, Any], **_: Any) -> None:
        headers.update(label())

    def begin(task: Any, **_: Any) -> None:
        if not task.request.is_eager:
            _begin(task.request.get(LABEL), task.request.retries + 1)

    def end(task: Any, state: str | None, **_: Any) -> None:
        if not task.request.is_eager:
            _end(None if state == "RETRY" else FINISHED if state == "SUCCESS" else FAILED)

    signals.before_task_publish.connect(publish, weak=False)
    signals.task_prerun.connect(begin, weak=False)
    signals.task_postrun.connect(end, weak=False)


def arq(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a function for ARQ's worker whose tries are counted; its jobs take `**observe.label()` along."""
    if not RECORDING:
        return function

    @functools.wraps(function)
    async def tried(context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        with Running(taken(kwargs), context["job_try"]):
            return await function(context, *args, **kwargs)

    return tried


def taskiq() -> Any:
    """Return a middleware for taskiq's broker: `broker.add_middlewares(queues.taskiq())`."""
    from taskiq import TaskiqMiddleware

    class Observing(TaskiqMiddleware):
        def pre_send(self, message: Any) -> Any:
            message.labels.update(label())
            return message

        def pre_execute(self, message: Any) -> Any:
            # both of taskiq's ways to retry count there
            _begin(message.labels.get(LABEL), int(message.labels.get("_retries", 0)) + 1)
            return message

        def post_execute(self, _message: Any, result: Any) -> None:
            _end(FAILED if result.is_err else FINISHED)

    return Observing()


def dramatiq() -> Any:
    """Return a middleware for dramatiq's broker: `broker.add_middleware(queues.dramatiq())`."""
    from dramatiq import Middleware

    class Observing(Middleware):
        def before_enqueue(self, _broker: Any, message: Any, _delay: int | None) -> None:
            message.options.update(label())

        def before_process_message(self, _broker: Any, message: Any) -> None:
            _begin(message.options.get(LABEL), message.options.get("retries", 0) + 1)

        def after_process_message(self, _broker: Any, _message: Any, **ended: Any) -> None:
            _end(FINISHED if ended.get("exception") is None else FAILED)

    return Observing()
