"""Run as `python -m harness.sink HTTP_PORT SMTP_PORT`; what gets the port 0 is left out."""

import asyncio
import contextlib
import os
import sys

from harness.sink.http import LateReply
from harness.sink.mail import mail_connection
from results.descriptors import allow_many
from results.errors import BlockpointError

HOST = "127.0.0.1"
UP = "the sink is up"
"""said once all of its servers listen"""
BACKLOG = 4096
"""connections that wait to be taken: a burst of them must not meet the retries of TCP"""


async def serve(http_port: int, smtp_port: int) -> None:
    """Serve for ever; raises BlockpointError where a port cannot be had."""
    loop = asyncio.get_running_loop()
    if smtp_port:
        mail_connection()  # says in time that it cannot be made
    async with contextlib.AsyncExitStack() as servers:
        for port, protocol in ((http_port, LateReply), (smtp_port, mail_connection)):
            if not port:
                continue
            try:
                server = await loop.create_server(protocol, HOST, port, backlog=BACKLOG)
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise BlockpointError(f"the sink cannot listen on {HOST}:{port}: {reason}") from None
            await servers.enter_async_context(server)
        print(UP, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve, or say in one line why not."""
    http_port, smtp_port = map(int, sys.argv[1:])
    allow_many()
    try:
        asyncio.run(serve(http_port, smtp_port))
    except BlockpointError as error:
        sys.exit(f"blockpoint: {error}")


if __name__ == "__main__":
    main()
