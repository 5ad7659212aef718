"""Where a service of somebody's own listens: any http or https URL, with a prefix of paths."""

import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from loadtests.openloop.endpoint import SERVICE, Address
from results.errors import BlockpointError
from results.service import FOLLOWED, VARIANT, Asked

_announced: dict[str, Asked] = {}


@dataclass(frozen=True)
class ServiceAddress(Address):
    """A service's address and all that it is asked."""

    netloc: str
    prefix: str
    """of all paths"""
    tls: ssl.SSLContext | None
    asked: Asked

    @property
    def authority(self) -> str:
        """The value of the Host header: as the URL has it."""
        return self.netloc


def announce(asked: Asked) -> str:
    """Return what names this service in place of a URL, within this process."""
    host = f"{SERVICE}#{len(_announced)}"
    _announced[host] = asked
    return host


def described(host: str) -> ServiceAddress:
    """Return the service that a `service:FILE` describes, or that was announced; raises BlockpointError."""
    asked = _announced.get(host) or _read(Path(host.removeprefix(SERVICE)))
    parts = urlsplit(asked.url)
    try:
        name, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        name, port = None, 0
    if not name or not port or parts.query or parts.fragment or parts.username is not None:
        raise BlockpointError(f"url {asked.url}: give it as http://HOST:PORT/PREFIX or https://HOST/PREFIX")
    try:
        family, _, _, _, sockaddr = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BlockpointError(f"url {asked.url}: {name} is not known ({error.strerror})") from None
    tls = trust(asked) if parts.scheme == "https" else None
    return ServiceAddress(name, port, family, sockaddr, parts.netloc, parts.path.rstrip("/"), tls, asked)


def check_owned(url: str, owned: Sequence[str]) -> None:
    """Raise BlockpointError for a service on another machine that nobody said was theirs to load."""
    host = urlsplit(url).hostname or ""
    if not _loopback(host) and host not in owned:
        raise BlockpointError(f"{host} is another machine: if it is yours to load, say so: --i-own {host}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trust(asked: Asked) -> ssl.SSLContext:
    """Return whose certificates are taken for the service's; raises BlockpointError for an unfit file."""
    try:
        context: Any = ssl.create_default_context()
        if asked.ca:
            context.load_verify_locations(asked.ca)
    except (OSError, ssl.SSLError) as error:
        raise BlockpointError(f"ca {asked.ca}: holds no certificates that can be read ({error})") from None
    if not asked.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context  # type: ignore[no-any-return]


def identity_of(asked: Asked) -> dict[str, Any]:
    """Return who a service is, as a target of ours says it in its `/health`."""
    return {
        "service": asked.name,
        "strategy": asked.name,
        "variant": VARIANT,
        "subject": {"bystanders": [stream.column for stream in asked.streams()]},
        FOLLOWED: asked.most_followed_per_s if asked.journal else 0.0,
    }


_PORTS: Final = {"http": 80, "https": 443}


def _read(path: Path) -> Asked:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Asked).check()
    except (OSError, msgspec.MsgspecError) as error:
        raise BlockpointError(f"--host {SERVICE}{path}: describes no service ({error})") from None
