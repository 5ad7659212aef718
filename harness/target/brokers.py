"""The servers that a strategy may have between web and workers, by the name that its definition gives."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from harness.target.broker import Broker
from harness.target.cores import Pinning
from harness.target.processes import Family
from results.errors import lookup
from targets.settings import Settings

REDIS: Final = "redis"
POSTGRESQL: Final = "postgresql"
RABBITMQ: Final = "rabbitmq"


@dataclass(frozen=True)
class Server:
    """How one kind of server is reached; each of these imports its client only when it is called."""

    embedded: Callable[..., AbstractContextManager[Broker]]
    """starts one of our own"""
    connected: Callable[[str], Broker]
    """takes the URL of one that runs"""
    look: Callable[[], Any]
    """raises NoEnvironmentError where none can be had here"""


@contextlib.contextmanager
def _redis(*where: Any, redis_url: str, **how: Any) -> Iterator[Broker]:
    from harness.target.external import external_broker
    from harness.target.redis_broker import embedded_redis

    with external_broker(redis_url) if redis_url else embedded_redis(*where, **how) as broker:
        yield broker


def _connected_redis(url: str) -> Broker:
    from harness.target.redis_broker import RedisBroker

    return RedisBroker(url, None)


@contextlib.contextmanager
def _postgresql(*where: Any, redis_url: str, **how: Any) -> Iterator[Broker]:  # noqa: ARG001
    from harness.target.postgresql_broker import embedded_postgresql

    with embedded_postgresql(*where, **how) as broker:
        yield broker


def _connected_postgresql(url: str) -> Broker:
    from harness.target.postgresql_broker import PostgresqlBroker

    return PostgresqlBroker(url)


def _look_for_postgresql() -> None:
    from harness.target.postgresql_server import programs

    programs()


@contextlib.contextmanager
def _rabbitmq(*where: Any, redis_url: str, **how: Any) -> Iterator[Broker]:  # noqa: ARG001
    from harness.target.rabbitmq_broker import embedded_rabbitmq

    with embedded_rabbitmq(*where, **how) as broker:
        yield broker


def _connected_rabbitmq(url: str) -> Broker:
    from harness.target.rabbitmq_broker import RabbitmqBroker

    return RabbitmqBroker(url, None)


def _look_for_rabbitmq() -> None:
    from harness.target.rabbitmq_server import program

    program()


SERVERS: Final[Mapping[str, Server]] = {
    REDIS: Server(_redis, _connected_redis, lambda: None),
    POSTGRESQL: Server(_postgresql, _connected_postgresql, _look_for_postgresql),
    RABBITMQ: Server(_rabbitmq, _connected_rabbitmq, _look_for_rabbitmq),
}


def started(
    name: str,
    family: Family,
    folder: Path,
    pinning: Pinning,
    *,
    appendonly: bool = False,
    redis_url: str = "",
) -> AbstractContextManager[Broker]:
    """Start a server of our own, or use the running one that a person names; raises where neither works."""
    server = lookup("broker", name, SERVERS)
    return server.embedded(family, folder, pinning, appendonly=appendonly, redis_url=redis_url)


def connected(name: str, settings: Settings) -> Broker:
    """Return a connection to the server that a target's settings name."""
    return lookup("broker", name, SERVERS).connected(str(getattr(settings, _setting(name))))


def pointed(settings: Settings, name: str, url: str) -> Settings:
    """Return settings that name that server."""
    named: dict[str, Any] = {_setting(name): url}
    return replace(settings, **named)


def _setting(name: str) -> str:
    return f"{name}_url"


def look(name: str) -> None:
    """Raise NoEnvironmentError where a strategy's broker cannot be had here; it may have none."""
    if name:
        lookup("broker", name, SERVERS).look()
