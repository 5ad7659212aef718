"""A client of redis-py whose every wait is bounded, and which outlives a server that starts again."""

from typing import Any, Final

from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from targets.redis_server import RedisServer

WORKER_RETRIES: Final = 15
"""about 11 s while connections are refused: long enough for a server to start again"""


def lasting(server: RedisServer, retries: int) -> dict[str, Any]:
    """Return the options of such a client, or of a pool of connections, for asyncio."""
    over_tcp = {} if server.path else {"socket_keepalive": True}
    return {
        "socket_timeout": 5.0,
        "socket_connect_timeout": 1.0,
        **over_tcp,
        "health_check_interval": 10,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
        # redis-py retries to connect only after errors of its own, unless told of the socket's
        "retry_on_error": [RedisConnectionError, RedisTimeoutError, OSError],
    }
