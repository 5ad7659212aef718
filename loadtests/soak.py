"""A chunk of a long run at one fixed rate: chunks follow each other on one target, and memory is watched."""

from loadtests.openloop.scenario import Scenario, one_step
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Soak", "UntilDrained"]


class Soak(OpenLoopUser):
    """Open loop at a steady rate, for hours: what is measured is written chunk by chunk."""

    scenario = Scenario("soak", one_step)
