"""Takes the callbacks of a service whose tasks have ended: `python -m harness.service.listener`.

Each names its task by the last part of its path, as 16 hexadecimal digits, and may have a JSON body. Whatever
names a task is recorded, twice where it came twice: whether the task was one of the trial's, the trial knows.
"""

import socketserver
import sys
import threading
import time
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import AF_INET, AF_INET6, SOCK_STREAM, getaddrinfo
from typing import Any, Final
from urllib.parse import urlsplit

from blockpoint.observe import parsed
from harness.service.ends import called_back
from harness.service.journal import Order, Record, noted
from harness.service.webhook import host_and_port

MOST_BYTES: Final = 1_000_000
IDLE_LIMIT_S: Final = 60.0
"""a connection on which nothing comes for so long is closed"""
NAP_S: Final = 0.01
MOST_SORTS: Final = 50


class Refusal(Exception):  # noqa: N818
    """A callback that says nothing of a task."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Callback(BaseHTTPRequestHandler):
    """One connection, on which callbacks follow each other."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_LIMIT_S
    server: "Listener"

    def do_POST(self) -> None:
        """Record what a callback says: it came when its head had come."""
        at_ns = time.monotonic_ns()
        try:
            body = self._body()
            self.server.take(self.path, body, at_ns)
        except Refusal as refusal:
            self.close_connection = True
            self.send_error(refusal.status, str(refusal))
        else:
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

    do_PUT = do_POST  # noqa: N815

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"]:
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "a callback needs a Content-Length")
        length = self.headers["Content-Length"] or "0"
        if not (length.isascii() and length.isdigit()):
            raise Refusal(HTTPStatus.BAD_REQUEST, f"no length: {length}")
        if int(length) > MOST_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MOST_BYTES} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refusal(HTTPStatus.BAD_REQUEST, "it ended within its body")
        return body

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a callback that came as it should."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002
        """Count one that did not, other than a connection on which no more come."""
        if not isinstance(args[0], TimeoutError):
            self.server.count(format % args)


class Listener(socketserver.ThreadingTCPServer):
    """Listens for callbacks, a thread a connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, order: Order) -> None:
        host, port = host_and_port(order.listen)
        families = {family for family, *_ in getaddrinfo(host, port, type=SOCK_STREAM)}
        self.address_family = AF_INET if AF_INET in families else AF_INET6
        self.order = order
        self._refused: Counter[str] = Counter()
        self.record = Record(order.ledger)
        super().__init__((host, port), Callback)

    def take(self, path: str, body: bytes, at_ns: int) -> None:
        """Record the end that a callback tells of; raises Refusal where it tells of none that could be."""
        task_id = parsed(urlsplit(path).path.rpartition("/")[2])
        if task_id is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "the path has to end with a task's id, 16 hexadecimal digits")
        try:
            how = called_back(self.order.completions, body)
        except ValueError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"its body is no JSON ({type(error).__name__})") from None
        if how is not None:
            self.record.ended(task_id, at_ns, how)

    def count(self, why: str) -> None:
        """Count what was refused, and say so of the first, the tenth, the hundredth ... of its sort."""
        sort = why if why in self._refused or len(self._refused) < MOST_SORTS else "for other reasons"
        self._refused[sort] += 1
        if str(self._refused[sort]).strip("0") == "1":
            print(f"callbacks refused: {self._refused[sort]}: {sort}", flush=True)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Count a connection that broke."""
        self.count(f"its connection broke ({type(sys.exception()).__name__})")


def listen(order: Order) -> None:
    """Listen for ever, and record which tasks were accepted: whoever started this ends it."""
    try:
        listener = Listener(order)
    except OSError as error:
        raise SystemExit(f"blockpoint: nothing can listen at {order.listen}: {error.strerror}") from None
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    for tasks in noted(order.asked.journal):
        for task in tasks:
            listener.record.accepted(task)
        time.sleep(NAP_S)


if __name__ == "__main__":
    listen(Order.read(sys.argv[1]))
