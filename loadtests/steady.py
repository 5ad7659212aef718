"""Tasks at one fixed rate and of one duration: the measurement behind every curve."""

from loadtests.openloop.scenario import Scenario, one_step
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Steady", "UntilDrained"]


class Steady(OpenLoopUser):
    """Open loop at a steady rate."""

    scenario = Scenario("steady", one_step)
