"""A closed loop: ordinary Locust users (`--users`) that wait for each answer, to show what that hides."""

from loadtests.openloop.closed import ClosedLoopUser
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained

__all__ = ["ClosedLoop", "UntilDrained"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return one step; --rate is what the users attempt together, and cannot exceed."""
    return [PlannedStep(settings.seconds, settings.rate, settings.duration_ms)]


class ClosedLoop(ClosedLoopUser):
    """Closed loop."""

    scenario = Scenario("closed_loop", steps, closed=True)
