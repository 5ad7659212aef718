"""How ARQ reaches Redis: as its own settings do, and with a client whose every wait is bounded."""

from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool

from targets.lasting import lasting
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.strategies.arq.checked_redis import CheckedRedis
from targets.strategies.arq.messages import from_json, to_json

_server = RedisServer.parse(Settings.from_environment().redis_url)
SERIALISERS = {"job_serializer": to_json, "job_deserializer": from_json}


def settings_of(server: RedisServer) -> RedisSettings:
    """Return what ARQ's `from_dsn` would, if it decoded percent signs and knew TLS's options."""
    return RedisSettings(
        host=server.host,
        port=server.port,
        unix_socket_path=server.path or None,
        database=server.database,
        username=server.username or None,
        password=server.password or None,
        ssl=bool(server.tls),
        **server.tls,
    )


SHIPPED = settings_of(_server)


def lasting_pool(retries: int) -> ArqRedis:
    """Return a client whose every wait is bounded; it connects when it is first used.

    ARQ's own `RedisSettings` have no time-out for an established connection.
    """
    connections: ConnectionPool = ConnectionPool.from_url(_server.url, **lasting(_server, retries))
    return CheckedRedis(connections, **SERIALISERS)
