"""Registrations that each start three tasks (e-mail, notice, statistics), at one fixed rate."""

from loadtests.openloop.options import LoadSettings
from loadtests.openloop.scenario import REGISTER_PATH, Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Fanout", "UntilDrained"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return one step; --rate counts registrations, each of three tasks of --duration-ms."""
    return [PlannedStep(settings.seconds, settings.rate, settings.duration_ms)]


class Fanout(OpenLoopUser):
    """Open loop of registrations."""

    scenario = Scenario("fanout", steps, path=REGISTER_PATH)
