"""Celery's application of each variant over Redis."""

from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.celery.application import application, bind_children
from targets.strategies.celery.configuration import (
    RENEWED,
    TUNED_ATTEMPTS,
    TUNED_OVER_REDIS,
    durably,
    with_window,
)
from targets.strategies.celery.transport import SecondLook

CHECKED = "redis-checked"
"""a transport that drops forged messages, which would end the durable worker again and again"""
TRANSPORT_ALIASES[CHECKED] = "targets.strategies.celery.transport:Transport"
SETTINGS = Settings.from_environment()
SERVER = RedisServer.parse(SETTINGS.redis_url)


def _location(transport: str = "") -> str:
    """Return the server's URL as Celery and kombu read it, which take the options of TLS as settings."""
    scheme, _, rest = SERVER.address.partition("://")
    if SERVER.path:
        return f"{transport or 'redis'}+socket://{rest}?virtual_host={SERVER.database}"
    return f"{transport or scheme}://{rest}"


def _app(name: str, attempts: int, **configuration: Any) -> Celery:
    tls = dict(SERVER.tls) or None
    secured = {"broker_use_ssl": tls, "redis_backend_use_ssl": tls}
    return application(f"blockpoint-{name}", _location(), attempts, **secured, **configuration)


SHIPPED = with_window({"result_backend": _location()}, SETTINGS)
default = _app("default", 1, **SHIPPED)
late = _app("late", 1, **SHIPPED, task_acks_late=True)
tuned = _app("tuned", TUNED_ATTEMPTS, **with_window(TUNED_OVER_REDIS, SETTINGS))
durable = _app("durable", TUNED_ATTEMPTS, **durably(SETTINGS), broker_url=_location(CHECKED))
bind_children(durable)
if not RENEWED:
    durable.steps["consumer"].add(SecondLook)
