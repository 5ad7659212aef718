import os
import subprocess
import sys

import pytest

from targets.settings import Settings
from targets.strategies.celery.strategy import CHECKED

OURS, ANOTHER = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"
CODE = """
from targets.strategies.celery import strategy as celery
app = getattr(celery, {app!r})
backend = app.backend
print(app.connection_for_write().as_uri(), app.connection_for_read().as_uri(), getattr(backend, "url", None))
"""


@pytest.mark.parametrize(
    ("app", "broker", "results"),
    [
        ("default", OURS, OURS),
        ("late", OURS, OURS),
        ("tuned", OURS, None),
        ("durable", OURS.replace("redis", CHECKED, 1), None),
    ],
)
def test_a_target_started_by_hand_leaves_the_broker_of_another_application_alone(
    app: str, broker: str, results: str | None
) -> None:
    """Celery prefers its own variables to any configuration."""
    others = ("BROKER_URL", "BROKER_READ_URL", "BROKER_WRITE_URL", "RESULT_BACKEND")
    shell = {**os.environ, **{f"CELERY_{name}": ANOTHER for name in others}}
    asked = subprocess.run(
        [sys.executable, "-c", CODE.format(app=app)],
        env={**shell, **Settings(redis_url=OURS).to_environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.split() == [broker, broker, str(results)]
