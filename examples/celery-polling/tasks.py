"""The worker's side: a picture is made smaller in a process of Celery's."""

import os
import time

from celery import Celery

app = Celery(broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
WORK_S = 0.1
"""what a picture takes"""


@app.task
def thumbnail(picture: str) -> str:
    """Make a picture smaller."""
    time.sleep(WORK_S)
    return f"small-{picture}"
