"""The job that RQ's workers import by its name."""

from typing import Any

from rq import get_current_job

from targets.task import Task
from targets.work import perform

RUN = f"{__name__}.run"


def run(message: dict[str, Any]) -> None:
    """Do the task in the process of the job."""
    perform(Task.from_message(message), (get_current_job().number_of_retries or 0) + 1)
