"""Celery's application with the one task of every strategy, whichever broker it has."""

import gc
import os
from typing import Any

from celery import Celery, current_app
from celery import Task as CeleryTask
from celery.signals import worker_before_create_process, worker_process_init

from targets.supervisor import die_with
from targets.task import Task
from targets.work import TaskFailedError, perform

TASK = "blockpoint.perform"
ANOTHERS = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")
"""variables that Celery prefers to any configuration: a shell holds them for an application of its own"""
for _name in ANOTHERS:
    os.environ.pop(_name, None)


def application(name: str, broker: str, attempts: int, **configuration: Any) -> Celery:
    """Return an app whose one task does what every strategy's task does."""
    app = Celery(name, broker=broker)
    app.conf.update(accept_content=["json"], broker_connection_retry_on_startup=True)
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


def bind_children(app: Celery) -> None:
    """Have the worker of an app, and no other's, share its memory with its children and take them along."""

    def share_memory(**_: object) -> None:
        """Keep the collector off what children inherit, or each soon has a copy of its own.

        Twenty children took 624 MiB without and 163 MiB with it.
        """
        if current_app.main == app.main:
            gc.freeze()

    def end_with_the_worker(**_: object) -> None:
        """Let no child outlive its worker: its task would run on beside its own redelivery."""
        if current_app.main == app.main:
            die_with(os.getppid())

    worker_before_create_process.connect(share_memory, weak=False)
    worker_process_init.connect(end_with_the_worker, weak=False)
