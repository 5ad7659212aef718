"""Registrations that each start three tasks (e-mail, notice, statistics), at one fixed rate."""

from loadtests.openloop.scenario import REGISTER_PATH, Scenario, one_step
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Fanout", "UntilDrained"]


class Fanout(OpenLoopUser):
    """Open loop of registrations, which `--rate` counts; each of three tasks of `--duration-ms`."""

    scenario = Scenario("fanout", one_step, path=REGISTER_PATH)
