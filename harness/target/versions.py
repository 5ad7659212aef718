"""A strategy in versions that were asked for: `celery@5.6.3`, `inline@fastapi=0.120.0,python=3.13`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from results.errors import BlockpointError

PYTHON: Final = "python"
_PIN: Final = re.compile(
    r"(?:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)={1,2})?(?P<version>[0-9][A-Za-z0-9.!+]*)"
)


@dataclass(frozen=True)
class Pinned:
    """A strategy, and what its environment is to differ in from its lock."""

    strategy: str
    version: str = ""
    """of the strategy's own library"""
    pins: Mapping[str, str] = field(default_factory=dict)
    """versions by package; `python` is the interpreter's"""

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a strategy's name; raises BlockpointError where its versions are none."""
        strategy, at, asked = name.partition("@")
        version, pins = "", {}
        for part in asked.split(",") if at else ():
            found = _PIN.fullmatch(part.strip())
            if found is None:
                raise BlockpointError(
                    f"{name!r}: {part!r} is no version; write {strategy}@1.2.3 or {strategy}@fastapi=0.120.0"
                )
            if found["package"]:
                pins[found["package"].lower().replace("_", "-")] = found["version"]
            else:
                version = found["version"]
        return cls(strategy, version, pins)

    @property
    def plain(self) -> bool:
        """Whether it is to run with what its lock names."""
        return not self.version and not self.pins
