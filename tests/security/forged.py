"""Messages of Celery's that no client of ours would send."""

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

Change = Callable[[dict[str, Any]], object]


def message(queue: str) -> dict[str, Any]:
    """Return what Celery puts into a queue for a task."""
    task_id = secrets.token_hex(16)
    return {
        "body": body([[{}], {}, {}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "blockpoint.perform", "id": task_id, "timelimit": [None, None], "retries": 0},
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": secrets.token_hex(16),
        },
    }


def body(value: Any) -> str:
    """Return a value as it stands in a message."""
    return base64.b64encode(json.dumps(value).encode()).decode()


NO_MESSAGES = [b"garbage", b"\xff\xfe", b"", b"5", b"null", b"[1]", b"{}", b'"text"', b"[" * 100_000]
CHANGES: dict[str, Change] = {
    "no body": lambda m: m.pop("body"),
    "a body that is no base64": lambda m: m.update({"body": "%%%"}),
    "a body that is no text": lambda m: m.update({"body": 5}),
    "a body that is no JSON": lambda m: m.update({"body": base64.b64encode(b"{").decode()}),
    "a body that is no list": lambda m: m.update({"body": body(5)}),
    "a body that is too short": lambda m: m.update({"body": body([[], {}])}),
    "arguments that are no list": lambda m: m.update({"body": body([5, 5, 5])}),
    "no headers": lambda m: m.pop("headers"),
    "headers that are none": lambda m: m.update({"headers": None}),
    "headers that are a list": lambda m: m.update({"headers": []}),
    "no id": lambda m: m["headers"].pop("id"),
    "an id that is a list": lambda m: m["headers"].update({"id": [1]}),
    "a task that is a list": lambda m: m["headers"].update({"task": [1]}),
    "one time limit": lambda m: m["headers"].update({"timelimit": [1]}),
    "no properties": lambda m: m.pop("properties"),
    "no delivery tag": lambda m: m["properties"].pop("delivery_tag"),
    "a tag that is a list": lambda m: m["properties"].update({"delivery_tag": [1]}),
    "no delivery info": lambda m: m["properties"].pop("delivery_info"),
    "no exchange": lambda m: m["properties"]["delivery_info"].pop("exchange"),
    "an unknown encoding": lambda m: m["properties"].update({"body_encoding": "rot13"}),
    "a content type that is a number": lambda m: m.update({"content-type": 5}),
}


def forged(queue: str, change: Change) -> dict[str, Any]:
    """Return a message of which one thing was changed."""
    made = message(queue)
    change(made)
    return made


def forged_messages(queue: str) -> list[bytes]:
    """Return all that is forged, as it stands in a queue."""
    return NO_MESSAGES + [json.dumps(forged(queue, change)).encode() for change in CHANGES.values()]
