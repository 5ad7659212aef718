"""A load of one's own in a locustfile of a few lines: its requests, their mix, their payloads."""

import sys
from pathlib import Path

_ROOMS = Path(__file__).parent / "rooms"
if _ROOMS.is_dir():  # installed: see `blockpoint.__main__`
    sys.path.insert(0, str(_ROOMS))

from loadtests.openloop.options import LoadSettings, Option  # noqa: E402
from loadtests.openloop.schedule import PlannedStep  # noqa: E402
from loadtests.openloop.service_user import ServiceUser, get, post, request  # noqa: E402
from loadtests.openloop.shape import UntilDrained  # noqa: E402
from results.errors import BlockpointError  # noqa: E402

__all__ = [
    "BlockpointError",
    "LoadSettings",
    "Option",
    "PlannedStep",
    "ServiceUser",
    "UntilDrained",
    "get",
    "post",
    "request",
]
