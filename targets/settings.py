"""Settings of a target's processes, read from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec

from results.base import Share
from results.errors import BlockpointError

ANYIO_TOKENS: Final = 40
"""AnyIO's own default"""
STARTERS: Final = (
    *("redis_url", "rabbitmq_url", "postgresql_url", "cache_url"),
    *("ledger", "nonce", "http_sink", "smtp_sink"),
    *("own_task", "own_args", "own_path", "own_folder", "own_seed", "own_limit_s"),
    *("own_gil", "own_cores", "own_loop"),
)
"""settings that whoever starts a target chooses for it"""

Slots = Annotated[int, msgspec.Meta(ge=1, le=1000)]
MOST_WEB_PROCESSES: Final = 64

WebProcesses = Annotated[int, msgspec.Meta(ge=1, le=MOST_WEB_PROCESSES)]
CoreCount = Annotated[int, msgspec.Meta(ge=1, le=1024)]
WindowSeconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Address = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+:[0-9]{1,5}$|^$")]
"""`host:port`; empty: there is none"""
UnitsPerMs = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
OwnSeed = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


@dataclass(frozen=True)
class Settings:
    """What a strategy may know about its surroundings.

    Each field is read from `BLOCKPOINT_` and its name in capitals.
    """

    redis_url: str = "redis://127.0.0.1:6379/0"
    rabbitmq_url: str = "amqp://guest:guest@127.0.0.1:5672//"
    postgresql_url: str = "postgresql://127.0.0.1:5432/postgres"
    ledger: Path | None = None
    """folder of the ledger's files; None records nothing"""
    nonce: str = ""
    """given by whoever starts the target, shown by `/health`"""
    http_sink: Address = ""
    """where tasks of the kind `http` call"""
    smtp_sink: Address = ""
    """where tasks of the kind `smtp` send their mail"""
    cache_url: str = field(default="", repr=False)
    """where tasks of the kind `cache` write: the broker's server"""
    slots: Slots = 40
    """tasks in service at once in every `tuned` variant"""
    anyio_tokens: Slots = ANYIO_TOKENS
    """threads that a web process has for its `def` endpoints and `def` background tasks"""
    web_processes: WebProcesses = 1
    """uvicorn's `--workers`"""
    middleware: bool = False
    """put a `BaseHTTPMiddleware` before every endpoint"""
    cores: CoreCount = field(default_factory=lambda: os.cpu_count() or 1)
    """cores that the processes running tasks may use"""
    units_per_ms_cpu: UnitsPerMs = 0.0
    """calibration of the kind `cpu`; 0 calibrates at the start"""
    units_per_ms_cpu_native: UnitsPerMs = 0.0
    units_per_ms_cache: UnitsPerMs = 0.0
    """round trips of the kind `cache`; 0 calibrates at the start"""
    visibility_s: WindowSeconds = 0.0
    """how long a dead worker's tasks are hidden, where the library has such a number; 0: the variant's own"""
    job_timeout_s: WindowSeconds = 0.0
    """of a job in ARQ, SAQ and RQ; 0: the variant's own"""
    drills: bool = False
    """accept tasks that kill their own process"""
    own_task: str = ""
    """the user's callable, `module:name` or an entry point of `blockpoint.tasks`; empty: there is none"""
    own_args: str = ""
    """file of its arguments, JSON lines; empty: it takes none"""
    own_path: str = ""
    """folders, joined by `os.pathsep`, in which its modules are looked for after ours"""
    own_folder: str = ""
    """folder of which nothing but its own top-level package may be imported"""
    own_seed: OwnSeed = 1
    """of the choice of a task's arguments"""
    own_limit_s: WindowSeconds = 0.0
    """after which a coroutine of it is cancelled; 0: never"""
    own_gil: Share = 0.0
    """see `results.schema.Demand`"""
    own_cores: Share = 0.0
    own_loop: Share = 0.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; raises BlockpointError where one is no number or out of bounds."""
        given = {name: text for name in cls.__dataclass_fields__ if (text := environ.get(variable(name)))}
        try:
            return msgspec.convert(given, cls, strict=False, dec_hook=lambda kind, text: kind(text))
        except msgspec.ValidationError as error:
            expected, _, name = str(error).rstrip("`").partition(" - at `$.")
            wanted = expected.removeprefix("Expected ").partition(", got")[0]
            raise BlockpointError(f"{variable(name)} must be {wanted}, not {given[name]!r}") from None

    def to_environment(self) -> dict[str, str]:
        """Return the variables from which `from_environment` reads these settings back."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {variable(name): str(value or "") for name, value in values.items()}


def variable(name: str) -> str:
    """Return the environment variable from which a setting is read."""
    return f"BLOCKPOINT_{name.upper()}"


def asked_of_a_target(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a person has set for targets, by the name of the setting."""
    names = [name for name in Settings.__dataclass_fields__ if name not in STARTERS]
    return {name: environ[variable(name)] for name in names if environ.get(variable(name))}
