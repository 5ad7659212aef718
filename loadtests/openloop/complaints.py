"""One clear line where something cannot be done."""

import sys

from results.errors import BlockpointError


def too_late(overdue_share: float, worker: str = "") -> BlockpointError:
    """Say why a worker sent nothing of its schedule."""
    who = f"worker {worker}: " if worker else ""
    return BlockpointError(
        f"{who}{overdue_share:.0%} of the schedule was due before it could begin: nothing was sent; "
        "the generator's machine is too busy, or the schedule too long to plan"
    )


def complain(error: BlockpointError) -> None:
    """Print one clear line."""
    print(f"blockpoint: {error}", file=sys.stderr, flush=True)
