"""How many processes generate the load, and where: on this host, and elsewhere over Locust's bus."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from results.errors import BlockpointError

LOOPBACK = "127.0.0.1"
MOST = 1000
_ELSEWHERE = re.compile(r"([0-9]{1,4})@([\w.-]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Fleet:
    """The generators of a command; those elsewhere connect to `host` and `port`."""

    processes: int = 1
    """on this host"""
    elsewhere: int = 0
    host: str = LOOPBACK
    port: int = 0
    """0 picks a free one"""

    @property
    def size(self) -> int:
        """How many share the schedule."""
        return self.processes + self.elsewhere

    @property
    def led(self) -> bool:
        """Whether a process leads that sends nothing itself."""
        return self.size > 1 or self.elsewhere > 0

    @classmethod
    def parse(cls, elsewhere: str, processes: int | None) -> Self:
        """Read `3@10.0.0.5:5557`, and how many more generate here: none unless asked.

        Raises BlockpointError where the address is none by which another host reaches this one.
        """
        if not elsewhere:
            return cls(processes if processes is not None else 1)
        given = _ELSEWHERE.fullmatch(elsewhere)
        if not given or not 1 <= int(given[1]) <= MOST or not 1 <= int(given[3]) <= 65535:
            raise BlockpointError(
                f"--generators: {elsewhere!r} is not NUMBER@HOST:PORT, such as 3@10.0.0.5:5557, "
                "where HOST is the name or IPv4 address of this host by which they reach it"
            )
        host = given[2]
        if _is_any(host):
            raise BlockpointError(
                f"--generators: {host} is every address; name the one by which the generators reach this host"
            )
        return cls(processes or 0, int(given[1]), host, int(given[3]))


ALONE = Fleet()


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
