"""The job that RQ's workers import by its name."""

from typing import Any

from rq import get_current_job

from targets.task import Task
from targets.work import perform

RUN = f"{__name__}.run"
RETRIES = 2


def run(message: dict[str, Any]) -> None:
    """Do the task in the process of the job, of whose retries RQ counts down those that are left."""
    left = get_current_job().retries_left
    perform(Task.from_message(message), 1 if left is None else RETRIES - left + 1)
