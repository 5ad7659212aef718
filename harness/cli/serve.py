"""The command `serve`: its options, and whom it hands them to."""

from typing import Any

import click

from harness.options.decorators import default
from harness.options.parameter_types import PORT
from harness.options.target import target_options
from harness.options.task import task_options


@click.command("serve")
@click.argument("strategy")
@click.argument("variant", default="default")
@default("--port", 8000, type=PORT, help="Port of the API.")
@default("--host", "127.0.0.1", help="Address to listen on; keep it loopback.")
@task_options
@target_options
def serve_command(**given: Any) -> None:
    """Run a STRATEGY in a VARIANT in the foreground: broker, sink, API and workers, until Ctrl-C.

    Takes BLOCKPOINT_SLOTS, _ANYIO_TOKENS, _WEB_PROCESSES, _MIDDLEWARE, _CORES, _VISIBILITY_S,
    _JOB_TIMEOUT_S, _UNITS_PER_MS_CPU, _UNITS_PER_MS_CPU_NATIVE and _DRILLS from the environment too; an
    option goes before its variable.
    """
    from harness.commands.serve import serve

    serve(**given)
