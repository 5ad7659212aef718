"""Where the callbacks of a service come."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from harness.service.declaration import CompletionsSection
from harness.target.broker import free_port
from results.errors import BlockpointError

FIELD: Final = "webhook"
"""stands for the URL in commands, in the environment and in the requests that submit"""
LOOPBACK: Final = "127.0.0.1"
_EVERYWHERE: Final = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Webhook:
    """Where we listen, and by which URL the service reaches that; it calls back at `URL/ID`."""

    listen: str
    """HOST:PORT"""
    url: str

    @classmethod
    def of(cls, completions: CompletionsSection) -> "Webhook":
        """Return that of a service; a port is chosen where none is named. Raises BlockpointError."""
        listen = completions.listen or f"{LOOPBACK}:{free_port()}"
        host, _ = host_and_port(listen)
        if host in _EVERYWHERE and not completions.webhook:
            raise BlockpointError(
                f"[completions] listen {listen!r}: say by which URL the service reaches it, webhook = "
                '"http://HOST:PORT"'
            )
        return cls(listen, (completions.webhook or f"http://{listen}").rstrip("/"))


def host_and_port(listen: str) -> tuple[str, int]:
    """Return the parts of an address; raises BlockpointError where it has none."""
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.query or parts.username is not None:
        raise BlockpointError(f"[completions] listen {listen!r} is not HOST:PORT")
    return host, port
