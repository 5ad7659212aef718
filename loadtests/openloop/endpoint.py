"""An address that was looked up: where the generator connects to."""

from dataclasses import dataclass
from typing import Any

SERVICE = "service:"
"""how a host begins that is described in a file: `service:FILE`, see `results.service.Asked`"""


@dataclass(frozen=True)
class Address:
    """A target's address, resolved once: no name is looked up during the load."""

    host: str
    port: int
    family: int
    sockaddr: tuple[Any, ...]

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
