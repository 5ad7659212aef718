"""When a process refuses an order, and when it finds that it is too late for it."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.address import Address
from loadtests.openloop.crew import alone
from loadtests.openloop.options import COMMON, read
from loadtests.openloop.order import (
    FARTHEST_S,
    HEAD_START_S,
    LATE_S,
    OVERDUE_SHARE,
    check_order,
    overdue_share,
)
from loadtests.openloop.run import Run
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import NS_PER_S, PlannedStep, plan
from loadtests.openloop.session import LoadSession, SessionLimits
from results.clock import boot_id
from results.errors import BlockpointError

STEADY = Scenario("steady", lambda s: [PlannedStep(s.seconds, s.rate, s.duration_ms)])


def order(*, distributed: bool) -> dict[str, Any]:
    run = Run(STEADY, read(COMMON, object()), {}, [alone(), alone()])
    return run.orders(1, distributed=distributed)[1]


def checked(given_: dict[str, Any], *, scenario: str = "steady", boot: str = "", off_s: float = 0.0) -> None:
    """Check an order as a process does whose clock is that far ahead of the one that wrote it."""
    now_ns = time.monotonic_ns() + round(off_s * NS_PER_S)
    check_order(given_, scenario, boot_id=boot or boot_id(), now_ns=now_ns)


@pytest.mark.parametrize("distributed", [True, False])
def test_an_order_of_the_same_clock_is_followed(distributed: bool) -> None:
    checked(order(distributed=distributed))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"off_s": 1000.0}, f"{1000 - HEAD_START_S:.1f} s ago"),
        ({"off_s": FARTHEST_S + HEAD_START_S + 0.1}, "its clock is not the master's"),
        ({"off_s": -1000.0}, f"{1000 + HEAD_START_S:.1f} s from now"),
        ({"boot": "another"}, "for another clock than its own"),
        ({"scenario": "burst"}, "it loaded burst and the master steady"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_declined_in_one_line(
    changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(BlockpointError) as caught:
        checked(order(distributed=True), **changed)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.lists(st.integers(0, 20 * NS_PER_S), max_size=50).map(sorted), st.integers(-NS_PER_S, 30 * NS_PER_S)
)
def test_a_schedule_is_overdue_where_a_good_part_of_it_is_and_by_long(due: list[int], late_ns: int) -> None:
    found = overdue_share(np.array(due, np.int64), late_ns)
    share = sum(at <= late_ns for at in due) / max(len(due), 1)
    assert found == (share if late_ns > LATE_S * NS_PER_S and share > OVERDUE_SHARE else 0.0)


@pytest.mark.parametrize("late_s", [2.0, 1000.0])
def test_a_session_that_begins_too_late_sends_nothing(late_s: float) -> None:
    """Sending would fail the test: there is nothing to send to, and no bytes to send."""

    def never(*_: object) -> bytes:
        raise AssertionError("a request left")

    schedule = plan([PlannedStep(8.0, 100.0, 1.0)], seed=1)
    limits = SessionLimits(schedule_ns=8 * NS_PER_S, drain_ns=0, timeout_ns=NS_PER_S, max_in_flight=9)
    session = LoadSession(schedule, never, Address("", 0, 0, ()), limits, never)
    outcomes = session.run(time.monotonic_ns() - round(late_s * NS_PER_S))
    assert outcomes.overdue_share > 0.2
    assert outcomes.interrupted
    assert len(outcomes.rows["due_ns"]) == 0
