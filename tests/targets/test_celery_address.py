import pytest

from targets.settings import Settings
from tests.strategies import told

OURS, ANOTHER = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"
CODE = """
from targets.strategies.celery import strategy as celery
app = getattr(celery, {app!r})
for connection in app.connection_for_write(), app.connection_for_read():
    print(connection.transport_cls, connection.hostname, connection.port)
print(getattr(app.backend, "url", None))
"""


@pytest.mark.parametrize("library", ["celery", "celery@5.6.3,kombu=5.6.2"])
@pytest.mark.parametrize(
    ("app", "transport", "results"),
    [
        ("default", "redis", OURS),
        ("late", "redis", OURS),
        ("tuned", "redis", None),
        ("durable", "redis-checked", None),
    ],
)
def test_a_target_started_by_hand_leaves_the_broker_of_another_application_alone(
    library: str, app: str, transport: str, results: str | None
) -> None:
    """Celery prefers its own variables to any configuration."""
    others = ("BROKER_URL", "BROKER_READ_URL", "BROKER_WRITE_URL", "RESULT_BACKEND")
    shell = {f"CELERY_{name}": ANOTHER for name in others}
    said = told(library, CODE.format(app=app), {**shell, **Settings(redis_url=OURS).to_environment()})
    assert said.splitlines() == [f"{transport} 127.0.0.1 1"] * 2 + [str(results)]
