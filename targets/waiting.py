"""Asks a target's broker how many tasks wait in it, when somebody wants to know and never by itself."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from targets import depths
from targets.redis_server import RedisServer
from targets.settings import Settings

ANSWER_LIMIT_S: Final = 0.5
"""of each question and, for the asker, of all of them: a scrape every second must not outlast it"""


def _redis(settings: Settings) -> Any:
    import redis

    url = RedisServer.parse(settings.redis_url).url
    return redis.Redis.from_url(url, socket_timeout=ANSWER_LIMIT_S, socket_connect_timeout=ANSWER_LIMIT_S)


def _postgresql(settings: Settings) -> Any:
    import psycopg

    limit = f"-c statement_timeout={ANSWER_LIMIT_S * 1000:.0f}"
    return psycopg.connect(settings.postgresql_url, autocommit=True, connect_timeout=2, options=limit)


def _rabbitmq(settings: Settings) -> Any:
    import amqp

    parts = urlsplit(settings.rabbitmq_url)
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port}",
        userid=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        virtual_host=unquote(parts.path[1:]) or "/",
        connect_timeout=ANSWER_LIMIT_S,
        read_timeout=ANSWER_LIMIT_S,
        write_timeout=ANSWER_LIMIT_S,
    )
    connection.connect()
    return connection


@dataclass(frozen=True)
class Server:
    """How one kind of server is asked; its client is imported only then."""

    connect: Callable[[Settings], Any]
    depth: Callable[[Any, str], int]


SERVERS: Final[Mapping[str, Server]] = {
    "redis": Server(_redis, depths.of_redis),
    "postgresql": Server(_postgresql, depths.of_postgresql),
    "rabbitmq": Server(_rabbitmq, depths.of_rabbitmq),
}


class Waiting:
    """The queues of one target, asked over one connection by a thread of its own.

    Threads of AnyIO's or the event loop's pool may be what a strategy runs its tasks with.
    """

    def __init__(self, broker: str, queues: Sequence[str], settings: Settings) -> None:
        self._server = SERVERS.get(broker)
        self._queues = tuple(queues)
        self._settings = settings
        self._connection: Any = None
        self._thread: ThreadPoolExecutor | None = None

    async def now(self) -> dict[str, int]:
        """Return what each queue holds; nothing where there is no broker or it does not answer in time."""
        if self._server is None:
            return {}
        self._thread = self._thread or ThreadPoolExecutor(1, "blockpoint-waiting")
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._thread, self._ask, self._server)
            return await asyncio.wait_for(asked, ANSWER_LIMIT_S)
        except TimeoutError:
            return {}

    def close(self) -> None:
        """Close the connection, if there is one; whoever asks again gets a new one."""
        if self._thread:
            self._thread.shutdown()
            self._thread = None
        self._hang_up()

    def _ask(self, server: Server) -> dict[str, int]:
        try:
            if self._connection is None:
                self._connection = server.connect(self._settings)
            return {queue: server.depth(self._connection, queue) for queue in self._queues}
        except Exception:  # of whichever client: the next one to ask gets a new connection
            self._hang_up()
            return {}

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()
