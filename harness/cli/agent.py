"""The command `agent`: its options, and whom it hands them to."""

import click

from harness.options.decorators import default


@click.command("agent")
@default(
    "--listen",
    "127.0.0.1:8700",
    metavar="HOST:PORT",
    help="Where it answers, and its targets at other ports.",
)
def agent_command(listen: str) -> None:
    """Start targets on this host for a `find` or `run` --agent of another, one at a time, until Ctrl-C.

    It answers to whoever knows its token, in BLOCKPOINT_AGENT_TOKEN or in a file that it makes at its first
    start: listen on a network that you trust.
    """
    from harness.commands.agent import serve_agent

    serve_agent(listen=listen, say=click.echo)
