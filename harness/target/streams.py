"""What a Redis stream still has to give: it keeps its entries when they have been acknowledged."""

from typing import Any

from targets.depths import after


def values(client: Any, stream: str | bytes) -> list[bytes]:
    """Return the values of the entries that wait for a consumer or its acknowledgement, of all groups."""
    groups = client.xinfo_groups(stream)
    found = {} if groups else dict(client.xrange(stream))
    for group in groups:
        found |= dict(client.xrange(stream, after(group)))
        found |= _pending(client, stream, group)
    return [value for fields in found.values() for value in fields.values()]


def _pending(client: Any, stream: str | bytes, group: dict[str, Any]) -> dict[bytes, dict[bytes, bytes]]:
    if not group["pending"]:
        return {}
    entries = client.xpending_range(stream, group["name"], "-", "+", group["pending"])
    with client.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.xrange(stream, entry["message_id"], entry["message_id"])
        return dict(entry for answer in pipe.execute() for entry in answer)
