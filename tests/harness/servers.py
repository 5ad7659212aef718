"""Servers as users have them: with users and passwords, on a Unix socket, behind TLS."""

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.redis_broker import server_binary
from tests.harness.blockpoint import eventually

CHUNK_BYTES = 65536


@dataclass(frozen=True)
class Server:
    """A server that takes user `me`, and the default user, with one password."""

    port: int
    path: Path
    password: str
    client: "redis.Redis"


@contextlib.contextmanager
def server(members: Family, folder: Path, password: str, *rights: str) -> Iterator[Server]:
    """Start a server with a password; `rights` are what `me` may do, everything by default."""
    port, path = free_port(), folder / "socket"
    given = " ".join(rights or ("+@all",))
    configuration = folder / "server.conf"
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nunixsocket "{path}"\nsave ""\nset-proc-title no\ndir "{folder}"\n'
        f'user default on ">{password}" ~* &* +@all\nuser me on ">{password}" ~* &* {given}\n'
    )
    child = members.spawn("broker", [server_binary(), str(configuration)], folder / "log", {}, Pinning())
    client = redis.Redis(port=port, password=password)

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(client.ping())
        return False

    assert eventually(answers), child.log_tail()
    yield Server(port, path, password, client)
    client.close()
    members.stop(child)


@contextlib.contextmanager
def behind_tls(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Speak TLS in front of a port of this host; gives the port and the certificate to trust."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as client,
                socket.create_connection(("127.0.0.1", port)) as server,
            ):
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        relay.daemon_threads = True
        relay.block_on_close = False
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield relay.server_address[1], certificate
        relay.shutdown()


def _pump(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError):
        while some := source.recv(CHUNK_BYTES):
            sink.sendall(some)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
