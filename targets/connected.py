"""Says by its exit code whether a worker here has a connection to its broker: `python -m targets.connected`.

For queues whose workers cannot be asked. A host's other targets count too, where they use the same database.
"""

import sys

import redis

from targets.redis_server import RedisServer
from targets.settings import Settings

TIMEOUT_S = 5.0


def connected(server: RedisServer) -> bool:
    """Say whether another client than this one is connected from here to the server's database."""
    with redis.Redis.from_url(server.url, socket_timeout=TIMEOUT_S) as client:
        own = str(client.client_id())
        clients = {each["id"]: each for each in client.client_list()}
        here = clients.pop(own)["addr"].rpartition(":")[0]
        return any(
            each["addr"].rpartition(":")[0] == here and each["db"] == str(server.database)
            for each in clients.values()
        )


if __name__ == "__main__":
    sys.exit(not connected(RedisServer.parse(Settings.from_environment().redis_url)))
