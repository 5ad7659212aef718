"""A middleware as so many services have one."""

import time

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

HEADER = "X-Process-Time"


class ProcessTime(BaseHTTPMiddleware):
    """Says how long a request took: the example of FastAPI's documentation, and the form of most loggers."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on, and add the header to what comes back."""
        begun_s = time.perf_counter()
        response = await call_next(request)
        response.headers[HEADER] = f"{time.perf_counter() - begun_s:.6f}"
        return response
