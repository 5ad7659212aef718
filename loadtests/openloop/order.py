"""Whether an order can be carried out: meant for this process's clock, of the same scenario, in time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from loadtests.openloop.schedule import NS_PER_S
from results.errors import BlockpointError

HEAD_START_S = 2.0
"""from the order to the schedule's start where other processes have to hear of it first"""
FARTHEST_S = 3.0
"""how far off a start may lie: the head start, and what a busy machine makes of it"""
LATE_S = 0.5
OVERDUE_SHARE = 0.05
"""of a schedule: when it starts later than `LATE_S` and more is due at once, it is a flood and no schedule"""


def check_order(order: Mapping[str, Any], scenario: str, *, boot_id: str, now_ns: int) -> None:
    """Raise BlockpointError where this process cannot carry out the order; `now_ns` is its own clock's."""
    if order["scenario"] != scenario:
        raise BlockpointError(
            f"it loaded {scenario} and the master {order['scenario']}: start both with the same locustfile"
        )
    if order["boot_id"] != boot_id:
        raise BlockpointError(
            "the order is for another clock than its own (another host, another time namespace, or a new "
            "start since the clocks were compared); it sends nothing"
        )
    off_s = (order["start_ns"] - now_ns) / NS_PER_S
    if order["start_ns"] and abs(off_s) > FARTHEST_S:
        when = f"{off_s:.1f} s from now" if off_s > 0 else f"{-off_s:.1f} s ago"
        raise BlockpointError(
            f"by its clock the schedule starts {when}, and that is no head start of {HEAD_START_S:g} s: "
            "its clock is not the master's, or it stood still; it sends nothing"
        )


def overdue_share(due_ns: np.ndarray, late_ns: int) -> float:
    """Return the share of a schedule that would be sent at once, so late; 0 where that is no flood.

    `due_ns`, sorted, are offsets from the schedule's start.
    """
    if late_ns <= LATE_S * NS_PER_S or not len(due_ns):
        return 0.0
    share = float(np.searchsorted(due_ns, late_ns, side="right")) / len(due_ns)
    return share if share > OVERDUE_SHARE else 0.0
