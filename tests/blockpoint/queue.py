"""A service and a worker that share a Celery application."""

import os

from celery import Celery
from fastapi import FastAPI

from blockpoint import observe, queues

queues.celery()
tasks = Celery("tasks", broker=os.environ["BROKER"], set_as_current=False)
app = FastAPI()
app.add_middleware(observe.Requests)


@tasks.task(bind=True, max_retries=2)
def work(self: object, number: int) -> None:
    with open(os.environ["COUNTED"], "a") as file:  # noqa: PTH123
        file.write(f"celery {number}\n")
    if number % 5 == 3:
        raise self.retry(countdown=0)  # type: ignore[attr-defined]
    if number % 5 == 4:
        raise RuntimeError("every fifth fails")


@app.post("/celery/{number}", status_code=202)
def submit(number: int) -> None:
    work.delay(number)
