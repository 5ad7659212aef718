"""Where the target listens, from what Locust was given as `--host`."""

import socket
from urllib.parse import urlsplit

from loadtests.openloop.endpoint import SERVICE, Address
from loadtests.openloop.service_address import described
from results.errors import BlockpointError

__all__ = ["Address", "resolve"]


def resolve(url: str | None) -> Address:
    """Resolve `http://HOST:PORT`, or what a `service:FILE` describes; raises BlockpointError."""
    if url and url.startswith(SERVICE):
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
