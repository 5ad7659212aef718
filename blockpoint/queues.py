"""Carries a task's id through the messages of some queues, and notes in the worker what becomes of it.

Call `celery()` once in the module that both the web process and the worker import; give `taskiq()` and
`dramatiq()` to their brokers as middleware. For other queues see `blockpoint.observe.label`.
"""

from typing import Any

from blockpoint.observe import FAILED, FINISHED, LABEL, RECORDING, STARTED, enter, label, parsed, record


def _begin(label_of: Any, attempt: int) -> None:
    task_id = parsed(label_of)
    enter(task_id)
    if task_id is not None and RECORDING:
        record(task_id, STARTED, attempt)


def _end(label_of: Any, attempt: int, *, failed: bool) -> None:
    task_id = parsed(label_of)
    enter(None)
    if task_id is not None and RECORDING:
        record(task_id, FAILED if failed else FINISHED, attempt)


def celery() -> None:
    """Connect to Celery's signals; a run that ends in a retry is followed by its next start."""
    if not RECORDING:
        return
    from celery import signals

    def publish(headers: dict[str, Any], **_: Any) -> None:
        headers.update(label())

    def begin(task: Any, **_: Any) -> None:
        _begin(task.request.get(LABEL), task.request.retries + 1)

    def end(task: Any, state: str | None, **_: Any) -> None:
        if state != "RETRY":
            _end(task.request.get(LABEL), task.request.retries + 1, failed=state != "SUCCESS")

    signals.before_task_publish.connect(publish, weak=False)
    signals.task_prerun.connect(begin, weak=False)
    signals.task_postrun.connect(end, weak=False)


def taskiq() -> Any:
    """Return a middleware for taskiq's broker: `broker.add_middlewares(queues.taskiq())`."""
    from taskiq import TaskiqMiddleware

    class Observing(TaskiqMiddleware):
        def pre_send(self, message: Any) -> Any:
            message.labels.update(label())
            return message

        def pre_execute(self, message: Any) -> Any:
            _begin(message.labels.get(LABEL), 1)
            return message

        def post_execute(self, message: Any, result: Any) -> None:
            _end(message.labels.get(LABEL), 1, failed=result.is_err)

    return Observing()


def dramatiq() -> Any:
    """Return a middleware for dramatiq's broker: `broker.add_middleware(queues.dramatiq())`."""
    from dramatiq import Middleware

    class Observing(Middleware):
        def before_enqueue(self, _broker: Any, message: Any, _delay: int | None) -> None:
            message.options.update(label())

        def before_process_message(self, _broker: Any, message: Any) -> None:
            _begin(message.options.get(LABEL), message.options.get("retries", 0) + 1)

        def after_process_message(self, _broker: Any, message: Any, **ended: Any) -> None:
            attempt = message.options.get("retries", 0) + 1
            _end(message.options.get(LABEL), attempt, failed=ended.get("exception") is not None)

    return Observing()
