"""Has a command measure targets on another host."""

import dataclasses
from typing import TypeVar

from harness.campaign.conditions import Selection
from results.errors import BlockpointError

S = TypeVar("S", bound=Selection)


def with_agent(request: S, url: str) -> S:
    """Return the request with the host of an agent, where one is named.

    Raises BlockpointError where it does not answer, and for what is on this host only.
    """
    if not url:
        return request
    from harness.agent.host import OtherHost

    if request.redis_url:
        raise BlockpointError("--agent: the broker is the agent's; leave --redis-url out")
    if request.task:
        raise BlockpointError(
            "--agent: a task of your own is measured on the host that has it, without --agent"
        )
    host = OtherHost(url)
    others = [role for role, _ in request.placement.asked if role != "generator"]
    if others and host.cores is not None:
        raise BlockpointError(f"--cores: those of the {others[0]} are on the agent's host, not here")
    placement = dataclasses.replace(request.placement, elsewhere=host.cores)
    return dataclasses.replace(request, host=host, placement=placement)
