"""Settings of a target's processes, read from environment variables."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from results.errors import BlockpointError

DEFAULT_SLOTS = 40
ANYIO_TOKENS = 40
"""AnyIO's own default"""
MOST_SLOTS = 1000
MOST_CORES = 1024
MAX_WINDOW_S = 86_400.0
STARTERS = ("redis_url", "ledger", "nonce")
"""settings that whoever starts a target chooses for it"""
SWITCHES = {"": False, "0": False, "1": True}


@dataclass(frozen=True)
class Settings:
    """What a strategy may know about its surroundings.

    Each field is read from `BLOCKPOINT_` and its name in capitals.
    """

    redis_url: str = "redis://127.0.0.1:6379/0"
    ledger: Path | None = None
    """folder of the ledger's files; None records nothing"""
    nonce: str = ""
    """given by whoever starts the target, shown by `/health`"""
    slots: int = DEFAULT_SLOTS
    """tasks in service at once in every `tuned` variant"""
    anyio_tokens: int = ANYIO_TOKENS
    """threads that a web process has for its `def` endpoints and `def` background tasks"""
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    """cores that the processes running tasks may use"""
    units_per_ms_cpu: float = 0.0
    """calibration of the kind `cpu`; 0 calibrates at the start"""
    units_per_ms_cpu_native: float = 0.0
    visibility_s: float = 0.0
    """Celery's visibility timeout; 0: the variant's own"""
    job_timeout_s: float = 0.0
    """ARQ's `job_timeout`; 0: the variant's own"""
    drills: bool = False
    """accept tasks that kill their own process"""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; raises BlockpointError where one is no number or out of bounds."""
        given = {name: environ.get(variable(name), "") for name in cls.__dataclass_fields__}
        return cls(
            redis_url=given["redis_url"] or cls.redis_url,
            ledger=Path(given["ledger"]) if given["ledger"] else None,
            nonce=given["nonce"],
            slots=_count(given, "slots", DEFAULT_SLOTS, MOST_SLOTS),
            anyio_tokens=_count(given, "anyio_tokens", ANYIO_TOKENS, MOST_SLOTS),
            cores=_count(given, "cores", os.cpu_count() or 1, MOST_CORES),
            units_per_ms_cpu=_number(given, "units_per_ms_cpu", 0.0),
            units_per_ms_cpu_native=_number(given, "units_per_ms_cpu_native", 0.0),
            visibility_s=_window(given, "visibility_s"),
            job_timeout_s=_window(given, "job_timeout_s"),
            drills=_switch(given, "drills"),
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables from which `from_environment` reads these settings back."""
        return {variable(name): _written(getattr(self, name)) for name in self.__dataclass_fields__}


def variable(name: str) -> str:
    """Return the environment variable from which a setting is read."""
    return f"BLOCKPOINT_{name.upper()}"


def asked_of_a_target(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a person has set for targets, by the name of the setting."""
    names = [name for name in Settings.__dataclass_fields__ if name not in STARTERS]
    return {name: environ[variable(name)] for name in names if environ.get(variable(name))}


def _written(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        number = float(given[name] or default)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BlockpointError(f"{variable(name)} must be a number, not {given[name]!r}")
    return number


def _count(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    count = _number(given, name, default)
    if not (1 <= count <= most and count.is_integer()):
        raise BlockpointError(f"{variable(name)} must be a whole number from 1 to {most}")
    return int(count)


def _window(given: Mapping[str, str], name: str) -> float:
    window_s = _number(given, name, 0.0)
    if not 0 <= window_s <= MAX_WINDOW_S:
        raise BlockpointError(f"{variable(name)} must be 0 to {MAX_WINDOW_S:.0f} seconds")
    return window_s


def _switch(given: Mapping[str, str], name: str) -> bool:
    if given[name] not in SWITCHES:
        raise BlockpointError(f"{variable(name)} must be 0 or 1, not {given[name]!r}")
    return SWITCHES[given[name]]
