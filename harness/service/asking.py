"""Asks a service one request, straight and without a proxy."""

import http.client
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loadtests.openloop.service_address import trust
from results.service import Asked, Request

MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Asking:
    """One keep-alive connection to a service."""

    def __init__(self, asked: Asked, within_s: float) -> None:
        self._asked = asked
        parts = urlsplit(asked.url)
        self._prefix = parts.path.rstrip("/")
        host, port = parts.hostname or "", parts.port
        self._connection: Any = (
            http.client.HTTPSConnection(host, port, timeout=within_s, context=trust(asked))
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=within_s)
        )

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request without fields; raises OSError where none comes."""
        headers = {**self._asked.headers, **request.headers}
        if request.body and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = "application/json"
        body = request.body.encode() if request.body else None
        try:
            self._connection.request(request.method, f"{self._prefix}{request.path}", body, headers)
            reply = self._connection.getresponse()
            return Answer(reply.status, reply.read(MOST_BYTES))
        except http.client.HTTPException as error:
            self.close()
            raise OSError(f"no HTTP came back ({type(error).__name__})") from None
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()


def why(error: OSError) -> str:
    """Return what kept a request from being answered, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f'its certificate is not trusted: {error.verify_message}; name who signed it, ca = "FILE"'
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error.strerror or error).lower()
