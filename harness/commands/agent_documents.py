"""By which agent the targets of a campaign were started, and what its clock showed, for programs."""

from typing import Any

import numpy as np

from harness.campaign.host import AGENT
from harness.terminal.document import finite
from results.store import Campaign


def agent_document(campaign: Campaign) -> dict[str, Any] | None:
    """Return where the agent was; None where the targets ran on this host.

    Its clock was ahead by so much in the middle of the trials, and known in all of them to be that.
    """
    told = campaign.manifest.part(AGENT)
    if not told:
        return None
    hosts = [trial.target_host for trial in campaign.trials() if trial.target_host]
    joined = [host for host in hosts if host.joined]
    return {
        "host": told.get("host"),
        "address": told.get("address"),
        "clock_ahead_s": finite(np.median([host.offset_ns for host in joined]) / 1e9) if joined else None,
        "clock_uncertainty_ms": finite(max(host.uncertainty_ns for host in joined) / 1e6) if joined else None,
        "trials_not_joined": len(hosts) - len(joined),
    }
