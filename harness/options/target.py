"""What target is started."""

import click

from harness.options.decorators import default, noting, together
from harness.options.parameter_types import RedisUrl

SLOTS = click.IntRange(1, 1000)
WEB_PROCESSES = click.IntRange(1, 64)
LOOPS = click.Choice(["auto", "asyncio", "uvloop"])
HTTPS = click.Choice(["auto", "h11", "httptools"])

target_options = together(
    default("--slots", 40, type=SLOTS, help="Slots of tuned variants."),
    default(
        "--anyio-tokens",
        40,
        type=SLOTS,
        help="Threads of a web process for `def` endpoints and `def` background tasks.",
    ),
    default(
        "--workers",
        1,
        "web_processes",
        type=WEB_PROCESSES,
        help="uvicorn's worker processes, each with an event loop and a pool of threads of its own.",
    ),
    default(
        "--middleware/--no-middleware",
        False,
        help="A BaseHTTPMiddleware before every endpoint, which times each request.",
    ),
    default("--loop", "auto", type=LOOPS, help="uvicorn's event loop."),
    default("--http", "auto", type=HTTPS, help="uvicorn's HTTP parser."),
    click.option(
        "--redis-url",
        default="",
        type=RedisUrl(),
        envvar="BLOCKPOINT_REDIS_URL",
        show_envvar=True,
        metavar="URL",
        help="A server's empty database, not the embedded broker; in the variable, no list of processes "
        "shows its password.",
    ),
    noting("slots", "anyio_tokens", "web_processes", "middleware"),
)
