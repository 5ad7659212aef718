"""How an agent is reached: HTTP, where each call is a POST of a MessagePack map to its name."""

import hmac
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

from harness.agent.agent import Agent
from harness.agent.release import HEADER, RELEASE
from results.errors import BlockpointError

MOST_BYTES: Final = 1 << 20
"""of a question"""
IDLE_S: Final = 60.0
"""after which a silent connection is closed"""


class Refusal(NamedTuple):
    """Why a question is not answered."""

    status: HTTPStatus
    why: str


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: "AgentServer"
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    wbufsize = -1
    """one packet an answer: the time is asked for by these"""
    disable_nagle_algorithm = True
    error_message_format = "%(message)s\n"

    def do_POST(self) -> None:
        """Answer a call of ours, and nobody else's."""
        if refusal := self._refusal():
            self._reply(refusal.status, f"{refusal.why}\n".encode(), last=True)
            return
        question = self.rfile.read(self._length())
        try:
            answer = self.server.agent.answer(self.path[1:], question)
        except (BlockpointError, OSError) as error:
            self._reply(HTTPStatus.UNPROCESSABLE_ENTITY, str(error).encode())
        except Exception as fault:  # ours: whoever asked shall know, and where it is from stands here
            traceback.print_exc()
            said = f"the agent failed: {type(fault).__name__}: {fault}"
            self._reply(HTTPStatus.INTERNAL_SERVER_ERROR, said.encode())
        else:
            self._reply(HTTPStatus.OK, answer)

    def _refusal(self) -> Refusal | None:
        """Return why this question is refused; whoever has no token learns nothing else."""
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return Refusal(HTTPStatus.UNAUTHORIZED, "this is not the token of this agent")
        if (release := self.headers.get(HEADER, "none")) != RELEASE:
            return Refusal(
                HTTPStatus.CONFLICT,
                f"the agent is of Blockpoint {RELEASE}, and was asked by {release[:40]}: "
                "install the same release on both hosts",
            )
        if not self.server.agent.knows(self.path[1:]):
            return Refusal(HTTPStatus.NOT_FOUND, "there is no such call")
        if not 0 <= self._length() <= MOST_BYTES:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "no question of ours is that long")
        return None

    def _length(self) -> int:
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdecimal() else -1

    def _reply(self, status: HTTPStatus, body: bytes, *, last: bool = False) -> None:
        self.send_response(status)
        self.send_header("Connection", "close" if last else "keep-alive")
        self.send_header("Content-Length", str(len(body)))
        self.send_header(HEADER, RELEASE)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


class AgentServer(ThreadingHTTPServer):
    """Listens at one address."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], token: str) -> None:
        super().__init__(address, Handler)
        self.token = token
        self.agent: Agent

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of whoever hangs up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def listening(server: AgentServer, agent: Agent) -> Iterator[None]:
    """Answer until the block is left."""
    server.agent = agent
    thread = threading.Thread(target=server.serve_forever, name="agent", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
