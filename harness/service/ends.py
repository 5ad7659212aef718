"""What a service's JSON says of a task's end: as an answer that is polled, or as a callback."""

import json
from typing import Any

from harness.service.declaration import CompletionsSection
from results.terms import Moment


def ended(completions: CompletionsSection, body: bytes) -> Moment | None:
    """Return how a task has ended, by the answer; None where it has not."""
    value = value_in(body, completions.field)
    if value is None:
        return None
    if value in _texts(completions.failed):
        return Moment.FAILED
    return Moment.FINISHED if value in _texts(completions.equals) else None


def called_back(completions: CompletionsSection, body: bytes) -> Moment | None:
    """Return how a task has ended, by a callback, which tells of an end unless its field says otherwise.

    Raises ValueError for a body that is no JSON.
    """
    if not body.strip():
        return Moment.FINISHED
    _parsed(body)
    return Moment.FINISHED if value_in(body, completions.field) is None else ended(completions, body)


def value_in(body: bytes, field_path: str) -> str | None:
    """Return the value of a field of a JSON answer, as text; None where there is none."""
    try:
        found = _parsed(body)
    except ValueError:
        return None
    for name in field_path.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return _text(found)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _texts(values: object) -> list[str]:
    return [_text(each) for each in (values if isinstance(values, list) else [values])]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
