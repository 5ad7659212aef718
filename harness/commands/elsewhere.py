"""Has a command measure targets on another host."""

import dataclasses
from typing import TypeVar

from harness.campaign.setup import Selection
from results.errors import BlockpointError

S = TypeVar("S", bound=Selection)


def with_agent(request: S, url: str) -> S:
    """Return the request with the host of an agent, where one is named.

    Raises BlockpointError where it does not answer, and for what is on this host only.
    """
    if not url:
        return request
    from harness.agent.host import OtherHost

    _refuse(request)
    host = OtherHost(url)
    placement = dataclasses.replace(request.placement, elsewhere=host.cores)
    return dataclasses.replace(request, host=host, placement=placement)


def _refuse(request: Selection) -> None:
    if request.redis_url:
        raise BlockpointError("--agent: the broker is the agent's; leave --redis-url out")
    if request.task:
        raise BlockpointError(
            "--agent: a task of your own is measured on the host that has it, without --agent"
        )
    if asked := [role for role, _ in request.placement.asked if role != "generator"]:
        raise BlockpointError(f"--agent: cores of the {asked[0]} are on its host; only generator=... is here")
