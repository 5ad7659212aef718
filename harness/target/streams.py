"""What a Redis stream still has to give: it keeps its entries when they have been acknowledged."""

from typing import Any


def depth(client: Any, stream: str | bytes) -> int:
    """Return how many entries wait for a consumer or its acknowledgement, of the group that lags most."""
    groups = client.xinfo_groups(stream)
    if not groups:
        return int(client.xlen(stream))
    return max(int(group["pending"]) + _undelivered(client, stream, group) for group in groups)


def values(client: Any, stream: str | bytes) -> list[bytes]:
    """Return the values of those entries, of all groups."""
    groups = client.xinfo_groups(stream)
    found = {} if groups else dict(client.xrange(stream))
    for group in groups:
        found |= dict(client.xrange(stream, _after(group)))
        found |= _pending(client, stream, group)
    return [value for fields in found.values() for value in fields.values()]


def _undelivered(client: Any, stream: str | bytes, group: dict[str, Any]) -> int:
    lag = group.get("lag")  # None where the server has lost count
    return len(client.xrange(stream, _after(group))) if lag is None else int(lag)


def _after(group: dict[str, Any]) -> str:
    return f"({group['last-delivered-id'].decode()}"


def _pending(client: Any, stream: str | bytes, group: dict[str, Any]) -> dict[bytes, dict[bytes, bytes]]:
    if not group["pending"]:
        return {}
    entries = client.xpending_range(stream, group["name"], "-", "+", group["pending"])
    with client.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.xrange(stream, entry["message_id"], entry["message_id"])
        return dict(entry for answer in pipe.execute() for entry in answer)
