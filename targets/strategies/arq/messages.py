"""ARQ's jobs and results as JSON, which loads nothing."""

import json
from typing import Any, TypedDict

import msgspec


class Read(TypedDict, total=False):
    """What ARQ reads of a job before it is prepared for surprises."""

    t: int | None
    f: str
    a: list[Any]
    k: dict[str, Any]
    et: int


def to_json(value: Any) -> bytes:
    """Serialise a job or its result; an exception becomes its text."""
    return json.dumps(value, default=str).encode()


def from_json(blob: bytes) -> Any:
    """Read a job or its result; raises ValueError for what would end ARQ's worker, so that it is refused."""
    value = json.loads(blob)
    msgspec.convert(value, Read)
    return value
