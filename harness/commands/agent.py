"""The command `agent`: starts targets on this host for a `find` or `run` that leads on another."""

import ipaddress
import re
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from harness.agent.agent import LEASE_S, Agent
from harness.agent.server import AgentServer, listening
from harness.agent.token import VARIABLE, agents_token
from results.errors import BlockpointError

TEND_EVERY_S: Final = 0.5
_ADDRESS: Final = re.compile(r"([\w.-]+):([0-9]{1,5})")


def serve_agent(*, listen: str, lease_s: float = LEASE_S, say: Callable[[str], object]) -> None:
    """Answer until interrupted; raises BlockpointError where nothing can listen there."""
    given = _ADDRESS.fullmatch(listen)
    if not given or not 0 <= int(given[2]) <= 65535:
        raise BlockpointError(f"--listen: {listen!r} is not HOST:PORT, such as 10.0.0.5:8700")
    host, token = given[1], agents_token()
    try:
        server = AgentServer((host, int(given[2])), token.secret)
    except OSError as error:
        raise BlockpointError(f"--listen: cannot listen at {listen} ({error.strerror})") from None
    if not _is_loopback(host):
        say(f"warning: whoever reaches {host} can see the token go by, and load a target that is up")
    agent = Agent(host, say, lease_s)
    with closing(agent), listening(server, agent):
        if token.new:
            say(f"token, made now and not shown again: {token.secret}")
            say(f"on the host that leads: export {VARIABLE}=...")
        say(f"agent at http://{host}:{server.server_port}; Ctrl-C ends it and what it started")
        while True:
            agent.tend()
            time.sleep(TEND_EVERY_S)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
