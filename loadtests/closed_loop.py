"""A closed loop: ordinary Locust users (`--users`) that wait for each answer, to show what that hides."""

from loadtests.openloop.closed import ClosedLoopUser
from loadtests.openloop.scenario import Scenario, one_step
from loadtests.openloop.shape import UntilDrained

__all__ = ["ClosedLoop", "UntilDrained"]


class ClosedLoop(ClosedLoopUser):
    """Closed loop; `--rate` is what the users attempt together, and cannot exceed."""

    scenario = Scenario("closed_loop", one_step, closed=True)
