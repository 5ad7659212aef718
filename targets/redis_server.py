"""The address of a Redis server: read once, as redis-py reads it, and written so that every library agrees.

The libraries read one URL differently: ARQ decodes no percent sign and knows no option of TLS, Celery needs
`ssl_cert_reqs`, kombu trusts every certificate without it and names Unix sockets in its own way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from redis.connection import parse_url

from results.errors import BlockpointError

SCHEMES = ("redis", "rediss", "unix")
EXAMPLES = "redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket?db=0"
ENCODE = "write / ? # [ ] in its user or password as %2F %3F %23 %5B %5D"
CERTIFICATES = ("required", "optional", "none")
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TEXTS = ("username", "password", *TLS_FILES)
"""options that redis-py decodes once from 7 on, and twice before"""
TLS_OPTIONS = ("ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_data", *TLS_FILES)
OPTIONS = ("db", "username", "password", *TLS_OPTIONS)


@dataclass(frozen=True, kw_only=True)
class RedisServer:
    """One database of one server, and how to reach it."""

    host: str = "localhost"
    port: int = 6379
    path: str = ""
    """a Unix socket instead of host and port"""
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Mapping[str, Any] = field(default_factory=dict)
    """redis-py's options of TLS, `ssl_cert_reqs` always among them; empty without TLS"""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read any URL that redis-py takes; raises BlockpointError, which never repeats it, for others."""
        split, port = _split(url)
        given = _options(url, split)
        tls = {name: value for name, value in given.items() if name in TLS_OPTIONS}
        if tls and split.scheme != "rediss":
            raise _refused(f"{next(iter(tls))} is an option of rediss:// only")
        return cls(
            host=given.get("host", cls.host),
            port=port or cls.port,
            path=given.get("path", ""),
            database=_database(split, given),
            username=given.get("username", ""),
            password=given.get("password", ""),
            tls=_tls(tls) if split.scheme == "rediss" else {},
        )

    @property
    def credentials(self) -> str:
        """User and password as they stand in a URL, with the `@` behind them."""
        password = f":{quote(self.password, safe='')}" if self.password else ""
        return f"{quote(self.username, safe='')}{password}@" if self.username or password else ""

    @property
    def address(self) -> str:
        """The URL without options; a Unix socket's has no database then."""
        if self.path:
            return f"unix://{self.credentials}{quote(self.path)}"
        host = f"[{self.host}]" if ":" in self.host else quote(self.host)
        return f"redis{'s' if self.tls else ''}://{self.credentials}{host}:{self.port}/{self.database}"

    @property
    def url(self) -> str:
        """The URL in its normal form: what redis-py reads as this server."""
        options = {"db": self.database} if self.path else self.tls
        written = [f"{name}={_encoded(str(value))}" for name, value in options.items()]
        return "?".join([self.address, *(["&".join(written)] if written else [])])


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        split = urlsplit(url)
        scheme, port = split.scheme, split.port
    except ValueError:
        scheme, _, _ = url.partition("://")
        if scheme in SCHEMES:
            raise _refused(f"its host or port cannot be read: a port is 1 to 65535; {ENCODE}") from None
        raise _refused(f"it must be {EXAMPLES}") from None
    if scheme not in SCHEMES or not url.startswith(f"{scheme}://"):
        raise _refused(f"it must be {EXAMPLES}")
    if split.fragment:
        raise _refused(f"it has a raw #; {ENCODE}")
    if scheme == "unix" and (split.hostname or not split.path.strip("/")):
        raise _refused("a Unix socket's path begins with a third slash: unix:///path/to/socket?db=0")
    return split, port


def _options(url: str, split: SplitResult) -> dict[str, Any]:
    """Return what redis-py reads."""
    for name in parse_qs(split.query, keep_blank_values=True):
        if name not in OPTIONS:
            raise _refused(f"it takes the options {', '.join(OPTIONS)} alone: strategies set the others")
    try:
        read = dict(parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise _refused(str(error)) from None
    texts = {name: values[0] for name, values in parse_qs(split.query).items() if name in TEXTS}
    return read | texts


def _encoded(value: str) -> str:
    """Return an option's value as this redis-py reads it: before 7 it decodes one twice."""
    once = quote(value, safe="")
    read = parse_url("redis://localhost?client_name=%2525")  # type: ignore[no-untyped-call]
    return quote(once, safe="") if read["client_name"] == "%" else once


def _database(split: SplitResult, given: Mapping[str, Any]) -> int:
    """Return the number; redis-py takes a path that is none for database 0."""
    digits = split.path.replace("/", "")
    if split.scheme != "unix" and digits and not (digits.isascii() and digits.isdigit()):
        raise _refused(f"its path must be the number of a database, such as /0; {ENCODE}")
    database = int(given.get("db", 0))
    if not 0 <= database < 2**31:
        raise _refused("its database must be a number from 0")
    return database


def _tls(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options with redis-py's defaults, which other libraries do not share."""
    options = {"ssl_cert_reqs": "required", "ssl_check_hostname": False, **given}
    if options["ssl_cert_reqs"] not in CERTIFICATES:
        raise _refused(f"ssl_cert_reqs must be one of {', '.join(CERTIFICATES)}")
    if options["ssl_check_hostname"] and options["ssl_cert_reqs"] == "none":
        raise _refused("ssl_check_hostname needs a certificate: ssl_cert_reqs=required")
    for name in TLS_FILES:
        if name in given:
            options[name] = str(Path(given[name]).absolute())
            if not Path(options[name]).is_file():
                raise _refused(f"{name} names no file: {options[name]}")
    return options


def _refused(reason: str) -> BlockpointError:
    return BlockpointError(f"the Redis URL (--redis-url or BLOCKPOINT_REDIS_URL) cannot be used: {reason}")
