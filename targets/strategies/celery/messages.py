"""What a message of Celery's looks like that a client of ours has sent."""

import base64
from typing import Any, Literal

import msgspec

JSON = "application/json"


class Route(msgspec.Struct):
    """Where a message was sent to."""

    exchange: str
    routing_key: str


class Properties(msgspec.Struct):
    """What kombu says of a message."""

    delivery_tag: str
    delivery_info: Route
    body_encoding: Literal["base64"]


class Headers(msgspec.Struct):
    """What Celery says of a task; whatever else is in a queue has no name of a task, and Celery drops it."""

    task: str | None = None
    id: str = ""
    timelimit: tuple[float | None, float | None] = (None, None)


class Message(msgspec.Struct, rename="kebab"):
    """What of a message is read before Celery is prepared for surprises."""

    body: str
    headers: Headers
    properties: Properties
    content_type: str
    content_encoding: str


Arguments = tuple[list[Any], dict[str, Any], dict[str, Any]]


def check_message(raw: object) -> None:
    """Raise ValueError where this cannot be a message of ours; Celery itself refuses all content but JSON."""
    message = msgspec.convert(raw, Message)
    body = base64.b64decode(message.body)
    if message.headers.task is None:
        return
    if not message.headers.id:
        raise ValueError("a task without an id")
    if message.content_type == JSON:
        msgspec.json.decode(body, type=Arguments)
