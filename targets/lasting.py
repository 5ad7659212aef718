"""A client of redis-py whose every wait is bounded, and which outlives a server that starts again."""

from contextvars import ContextVar
from typing import Any, Final

from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from targets.redis_server import RedisServer

WORKER_RETRIES: Final = 15
"""about 11 s while connections are refused: long enough for a server to start again"""

_trying: ContextVar[bool] = ContextVar("trying", default=False)


class Unnested(Retry):
    """Tries again as told, but within none of its own tries.

    redis-py has each try of a command try to connect as often again: 16 times 11 s for a command that a
    server's end cuts off, in which a worker that was told to stop does not.
    """

    async def call_with_retry(self, do: Any, *more: Any, **options: Any) -> Any:
        """Call until it succeeds or the tries are used up; once where that is part of a try already."""
        if _trying.get():
            return await do()
        entered = _trying.set(True)
        try:
            return await super().call_with_retry(do, *more, **options)
        finally:
            _trying.reset(entered)


def lasting(server: RedisServer, retries: int) -> dict[str, Any]:
    """Return the options of such a client, or of a pool of connections, for asyncio."""
    over_tcp = {} if server.path else {"socket_keepalive": True}
    return {
        "socket_timeout": 5.0,
        "socket_connect_timeout": 1.0,
        **over_tcp,
        "health_check_interval": 10,
        "retry": Unnested(ExponentialBackoff(cap=1.0, base=0.05), retries),
        # redis-py retries to connect only after errors of its own, unless told of the socket's
        "retry_on_error": [RedisConnectionError, RedisTimeoutError, OSError],
    }
