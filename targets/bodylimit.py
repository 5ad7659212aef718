"""Refuses a request whose body is far too large before it is read."""

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from targets.task import MAX_PAYLOAD_CHARS

MAX_BODY_BYTES = 12 * MAX_PAYLOAD_CHARS + 4096
"""the longest payload in JSON's longest spelling (a character as two `\\uXXXX`), and room for the rest"""
MAX_DIGITS = 20
"""as many as h11 takes; Python reads no number of more than 4,300"""
DETAIL = f"the body is longer than {MAX_BODY_BYTES} bytes"


class BodyLimit:
    """Answers 413 to a body above `MAX_BODY_BYTES`, whether its length is announced or not.

    An announced length costs one look through the headers; only a body sent in chunks is counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"content-length" and (refusal := refused(value)):
                    await refusal(scope, receive, send)
                    return
                if name == b"transfer-encoding":
                    receive = counted(receive)
        await self._app(scope, receive, send)


def refused(length: bytes) -> JSONResponse | None:
    """Return the answer to an announced length that is no number or too large, None to any other."""
    if not length.isdigit() or len(length) > MAX_DIGITS:
        return JSONResponse({"detail": f"Content-Length must be 1 to {MAX_DIGITS} digits"}, status_code=400)
    return JSONResponse({"detail": DETAIL}, status_code=413) if int(length) > MAX_BODY_BYTES else None


def counted(receive: Receive) -> Receive:
    """Return `receive`, raising HTTPException (413) once more than `MAX_BODY_BYTES` have come."""
    left = MAX_BODY_BYTES

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, DETAIL)
        return message

    return receive_some
