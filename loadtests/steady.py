"""Tasks at one fixed rate and of one duration: the measurement behind every curve."""

from loadtests.openloop.options import LoadSettings
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Steady", "UntilDrained"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return one step."""
    return [PlannedStep(settings.seconds, settings.rate, settings.duration_ms)]


class Steady(OpenLoopUser):
    """Open loop at a steady rate."""

    scenario = Scenario("steady", steps)
