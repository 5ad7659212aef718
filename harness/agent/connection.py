"""Asks an agent, straight and without a proxy."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from harness.agent.messages import MOST_BYTES, Message, Nothing, Of
from harness.agent.release import HEADER, RELEASE
from harness.service.asking import why
from results.errors import BlockpointError
from results.text import masked

A = TypeVar("A")
SOON_S: Final = 10.0
"""within which an agent answers what it need not do anything for"""
WORK_S: Final = 300.0
"""and what it has to start or wait for"""
FRESH_S: Final = 20.0
"""a connection that was idle for longer is made anew: the agent closes it in a while"""
RENEWED_EVERY_S: Final = 5.0
_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.CONFLICT)


class LostAgentError(BlockpointError):
    """It does not answer."""


class Connection:
    """To one agent, at `http://HOST:PORT`."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or url.lower().rstrip("/") != f"http://{host}:{port}":
            raise BlockpointError(
                f"--agent: {masked(url)!r} is not http://HOST:PORT, such as http://10.0.0.5:8700"
            )
        self.url = f"http://{host}:{port}"
        self.host = host
        self._token = token
        self._one = threading.Lock()
        self._http = http.client.HTTPConnection(host, port)
        self._used_s = time.monotonic()

    def again(self) -> "Connection":
        """Return another one to the same agent."""
        return Connection(self.url, self._token)

    def ask(self, call: str, question: Message, answer: type[A], within_s: float = SOON_S) -> A:
        """Return the answer to a call.

        Raises LostAgentError where none comes, and BlockpointError with what the agent says against it.
        """
        with self._one:
            status, body = self._exchange(call, msgspec.msgpack.encode(question), within_s)
        if status == HTTPStatus.OK:
            return self._read(body, answer)
        said = body.decode(errors="replace").strip()
        if status in _REFUSED:
            raise BlockpointError(f"the agent at {self.url} refuses: {said}")
        raise BlockpointError(f"on {self.host}: {said}")

    def close(self) -> None:
        """Close it."""
        with self._one:
            self._http.close()

    def _read(self, body: bytes, answer: type[A]) -> A:
        try:
            return msgspec.msgpack.decode(body, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BlockpointError(f"{self.url} answers like no agent of ours: {error}") from None

    def _exchange(self, call: str, body: bytes, within_s: float) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", HEADER: RELEASE}
        if time.monotonic() - self._used_s > FRESH_S:
            self._http.close()
        self._http.timeout = within_s
        if self._http.sock:
            self._http.sock.settimeout(within_s)
        try:
            self._http.request("POST", f"/{call}", body, headers)
            reply = self._http.getresponse()
            found = reply.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            said = why(error) if isinstance(error, OSError) else "no HTTP came back"
            raise LostAgentError(f"no agent answers at {self.url}: {said}") from None
        except BaseException:  # interrupted: what comes now is the answer to a question that nobody asks
            self._http.close()
            raise
        self._used_s = time.monotonic()
        return reply.status, found


@contextlib.contextmanager
def renewing(connection: Connection, target: Of) -> Iterator[None]:
    """Let the agent know that a target is still wanted, until the block is left."""
    over, own = threading.Event(), connection.again()

    def renew() -> None:
        while not over.wait(RENEWED_EVERY_S):
            with contextlib.suppress(BlockpointError):
                own.ask("renew", target, Nothing)

    thread = threading.Thread(target=renew, name="renew", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        own.close()
