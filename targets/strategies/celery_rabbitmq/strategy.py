"""Celery over RabbitMQ; by hand: `celery -A targets.strategies.celery_rabbitmq.strategy:tuned worker ...`."""

from typing import Any

from targets.settings import Settings
from targets.strategies.celery.application import application, bind_children
from targets.strategies.celery.configuration import DURABLE, TUNED, TUNED_ATTEMPTS
from targets.strategies.celery.variants import Durable, Shipped, Tuned

URL = Settings.from_environment().rabbitmq_url
LOST_CHILD_S = 10.0
"""`worker_lost_wait`, after which a worker gives back what its dead child held"""
BOUNDED = {"connect_timeout": 2.0, "read_timeout": 5.0, "write_timeout": 5.0}
OVER_RABBITMQ: dict[str, Any] = {**TUNED, "broker_transport_options": BOUNDED}
SAFE_OVER_RABBITMQ: dict[str, Any] = {
    **DURABLE,
    "broker_transport_options": {**BOUNDED, "confirm_publish": True},
    "broker_heartbeat": 10.0,
    # It takes no acknowledgement over another connection: what runs on would run twice.
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "task_create_missing_queue_type": "quorum",
    "broker_native_delayed_delivery_queue_type": "classic",
}
default = application("blockpoint-default", URL, 1)
tuned = application("blockpoint-tuned", URL, TUNED_ATTEMPTS, **OVER_RABBITMQ)
durable = application("blockpoint-durable", URL, TUNED_ATTEMPTS, **SAFE_OVER_RABBITMQ)
bind_children(durable)


class RabbitmqDefault(Shipped):
    """As shipped, without results: Celery keeps none unless it is told where."""

    app, where = default, f"{__name__}:default"


class RabbitmqTuned(Tuned):
    """Tuned over RabbitMQ."""

    app, where = tuned, f"{__name__}:tuned"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = {**self.settings, **OVER_RABBITMQ}


class RabbitmqDurable(Durable):
    """Durable over RabbitMQ: what a dead worker held is back as soon as it is gone, a dead child's later."""

    app, where = durable, f"{__name__}:durable"

    window_s = LOST_CHILD_S

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = {**self.settings, **SAFE_OVER_RABBITMQ}
