"""How many entries a queue holds, by the client of each server that queues stand in."""

from functools import partial
from typing import Any, LiteralString

COUNT: LiteralString = "SELECT count(*) FROM {} WHERE status = %s"


def of_redis(client: Any, key: str) -> int:
    """Return how many entries a key holds, whatever its type; of a stream, those not done with."""
    sizes = {
        b"list": client.llen,
        b"zset": client.zcard,
        b"hash": client.hlen,
        b"set": client.scard,
        b"stream": partial(of_stream, client),
    }
    size = sizes.get(client.type(key))
    return int(size(key)) if size else 0


def of_stream(client: Any, stream: str) -> int:
    """Return how many entries wait for a consumer or its acknowledgement, of the group that lags most.

    A stream keeps its entries when they have been acknowledged.
    """
    groups = client.xinfo_groups(stream)
    if not groups:
        return int(client.xlen(stream))
    return max(int(group["pending"]) + _undelivered(client, stream, group) for group in groups)


def of_postgresql(connection: Any, queue: str) -> int:
    """Return how many rows `table/status` names: those of a table whose column `status` has that value."""
    from psycopg import sql

    table, _, status = queue.partition("/")
    query = sql.SQL(COUNT).format(sql.Identifier(table))
    return int(connection.execute(query, (status,)).fetchone()[0])


def of_rabbitmq(connection: Any, queue: str) -> int:
    """Return how many messages wait in a queue; what a worker has fetched is not among them."""
    import amqp

    channel = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except amqp.NotFound:
        return 0
    finally:
        if channel.is_open:
            channel.close()


def after(group: dict[str, Any]) -> str:
    """Return where what a stream's group was not given yet begins, as a range's start."""
    return f"({group['last-delivered-id'].decode()}"


def _undelivered(client: Any, stream: str, group: dict[str, Any]) -> int:
    lag = group.get("lag")  # None where the server has lost count
    return len(client.xrange(stream, after(group))) if lag is None else int(lag)
