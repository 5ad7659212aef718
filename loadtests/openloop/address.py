"""Where the target listens, from the URL that Locust was given as `--host`."""

import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from results.errors import BlockpointError

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


def resolve(url: str | None) -> Address:
    """Resolve `http://HOST:PORT`, or what a `service:FILE` describes; raises BlockpointError."""
    if url and url.startswith(SERVICE):
        from loadtests.openloop.service_address import described

        return described(url)
    if not url:
        raise BlockpointError("no target: give one with --host http://127.0.0.1:8000")
    parts = urlsplit(url if "//" in url else f"http://{url}")
    try:
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if parts.scheme != "http" or not host or parts.path.strip("/") or parts.query:
        raise BlockpointError(f"--host {url}: give it as http://HOST:PORT, plain HTTP and without a path")
    try:
        family, _, _, _, sockaddr = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BlockpointError(f"--host {url}: {host} is not known ({error.strerror})") from None
    return Address(host, port, family, sockaddr)
