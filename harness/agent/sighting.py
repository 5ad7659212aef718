"""Compares an agent's clock with ours."""

import time
from dataclasses import dataclass
from typing import Final

from harness.agent.connection import Connection
from harness.agent.messages import Nothing, Time
from loadtests.openloop.clocks import Exchange, Offset, offset
from results.clock import boot_id

EXCHANGES: Final = 25


@dataclass(frozen=True)
class Sighting:
    """What an agent's clock showed, and of which boot it is."""

    boot_id: str
    offset: Offset


def sighting(connection: Connection) -> Sighting:
    """Ask for the time again and again; raises LostAgentError."""
    exchanges, boot = [], ""
    for _ in range(EXCHANGES):
        asked_ns = time.monotonic_ns()
        found = connection.ask("clock", Nothing(), Time)
        exchanges.append(Exchange(asked_ns, found.read_ns, time.monotonic_ns()))
        boot = found.boot_id
    return Sighting(boot, offset(exchanges, same=boot == boot_id()))
