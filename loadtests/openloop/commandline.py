"""What a command line asks of Locust that a scenario would silently leave out: refused before any load."""

from collections.abc import Sequence
from typing import Any

from results.errors import BlockpointError

_NEVER = {
    "spawn_rate": "--spawn-rate: all users are there at once, and --rate says how many requests come",
    "tags": "--tags: a scenario has no tagged tasks",
    "exclude_tags": "--exclude-tags: a scenario has no tagged tasks",
}
_OPEN = {"num_users": "--users: an open loop has no users that wait, --rate says how many requests come"}


def check_options(given: Any, *, closed: bool, unset: Sequence[Any] = (None,)) -> None:
    """Raise BlockpointError for an option of Locust's own that would change nothing.

    `unset` are the values that Locust itself may have put in.
    """
    for name, why in (_NEVER if closed else _NEVER | _OPEN).items():
        if getattr(given, name, None) not in unset:
            raise BlockpointError(why)


def check_alone(scenarios: Sequence[str]) -> None:
    """Raise BlockpointError where the locustfiles of a command line declare more than one scenario."""
    if len(scenarios) > 1:
        raise BlockpointError(
            f"these locustfiles are {len(scenarios)} scenarios ({', '.join(sorted(set(scenarios)))}), "
            "and a run is one: give one file, as in -f loadtests/steady.py"
        )


def check_users(scenario: str, user: type, users: Sequence[type], shape: object, wanted: type) -> None:
    """Raise BlockpointError where others would run beside a scenario's user, or without its load shape."""
    if others := [other.__name__ for other in users if other is not user]:
        raise BlockpointError(
            f"{', '.join(others)} cannot run beside {scenario}, which is alone in its process: "
            "give its locustfile only"
        )
    if not isinstance(shape, wanted):
        found = f"the load shape {type(shape).__name__}" if shape else "no load shape"
        raise BlockpointError(f"{scenario} has {found}: its locustfile needs {wanted.__name__} and no other")
