"""The sink beside a target: the servers that its tasks call and mail to, in a process of their own."""

import contextlib
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.sink.__main__ import HOST, UP
from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import COMPLAINT, Child, Family, died
from results.errors import BlockpointError
from results.waiting import wait_until

HTTP, SMTP = "http_sink", "smtp_sink"
"""the settings of a target that name the sink's servers"""
SERVERS: Final = frozenset({HTTP, SMTP})
START_LIMIT_S = 15.0


@dataclass(frozen=True)
class Sink:
    """A sink that is up, and `host:port` of its servers; empty for one that was not asked for."""

    child: Child
    http: str
    smtp: str


@contextlib.contextmanager
def running_sink(family: Family, servers: Set[str], log: Path, pinning: Pinning) -> Iterator[Sink]:
    """Start some of its servers and wait until they answer; all is gone when the block is left.

    Raises BlockpointError, with what the process said last, where it ends or does not answer.
    """
    http, smtp = (free_port() if name in servers else 0 for name in (HTTP, SMTP))
    command = [sys.executable, "-m", "harness.sink", str(http), str(smtp)]
    before = log.read_text() if log.exists() else ""
    child = family.spawn("sink", command, log, {}, pinning)

    def up() -> bool:
        if not child.running:
            raise _why(child)
        return UP in child.log.read_text().removeprefix(before)

    try:
        if not wait_until(up, START_LIMIT_S):
            said = child.log_tail()
            raise BlockpointError(f"the sink did not answer within {START_LIMIT_S:.0f} s:\n{said}")
        yield Sink(child, *(f"{HOST}:{port}" if port else "" for port in (http, smtp)))
    finally:
        family.stop(child)


def _why(child: Child) -> BlockpointError:
    """Return why the sink has exited: its own one line, else the last that it printed."""
    said = child.log.read_text(errors="replace").splitlines()
    own = [line.removeprefix(COMPLAINT) for line in said if line.startswith(COMPLAINT)]
    return BlockpointError(own[-1]) if own else died("the sink", child)
