"""How streaQ reaches Redis: coredis reads no percent signs of a URL unless it is told to."""

import ssl
from collections.abc import Mapping
from typing import Any

from coredis.connection import TCPLocation, UnixDomainSocketLocation
from coredis.exceptions import ConnectionError as RedisConnectionError
from coredis.pool import ConnectionPool
from coredis.retry import ConstantRetryPolicy, ExponentialBackoffRetryPolicy

from targets.lasting import WORKER_RETRIES
from targets.redis_server import RedisServer
from targets.settings import Settings

_FAULTS = (RedisConnectionError, TimeoutError)
SHIPPED_RETRIES = ConstantRetryPolicy(_FAULTS, retries=2, delay=0.01)
DURABLE_RETRIES = ExponentialBackoffRetryPolicy(_FAULTS, WORKER_RETRIES, base_delay=0.05, max_delay=1.0)
_server = RedisServer.parse(Settings.from_environment().redis_url)


def pool(**options: Any) -> "ConnectionPool[Any]":
    """Return connections to the server, with these options of coredis."""
    if not _server.path:
        location: Any = TCPLocation(_server.host, _server.port)
    else:
        location = UnixDomainSocketLocation(_server.path)
    return ConnectionPool(
        location=location,
        db=_server.database,
        username=_server.username or None,
        password=_server.password or None,
        ssl_context=_tls(_server.tls) if _server.tls else None,
        decode_responses=True,
        **options,
    )


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=options.get("ssl_ca_certs"), cadata=options.get("ssl_ca_data")
    )
    if certificate := options.get("ssl_certfile"):
        context.load_cert_chain(certificate, options.get("ssl_keyfile"))
    context.check_hostname = bool(options["ssl_check_hostname"])
    context.verify_mode = ssl.VerifyMode[f"CERT_{options['ssl_cert_reqs'].upper()}"]
    return context
