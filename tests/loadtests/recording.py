"""A server that writes down what it is asked, over TLS where it is given a certificate."""

import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Recording:
    """Where it listens, and the path and body of every request."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that only those trust who are given it, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    asked = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command = ["openssl", "req", "-x509", *asked, *names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@contextmanager
def recording(
    statuses: Mapping[str, int], otherwise: int, pair: tuple[Path, Path] | None = None
) -> Iterator[Recording]:
    """Answer with the status of the path's end, on keep-alive connections."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            found.asked.append((self.path, body))
            status = next((s for end, s in statuses.items() if self.path.endswith(end)), otherwise)
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    host = "https://localhost" if pair else "http://127.0.0.1"
    found = Recording(f"{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
