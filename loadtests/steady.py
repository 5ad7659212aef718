"""Tasks at one fixed rate and of one duration: the measurement behind every curve."""

from loadtests.openloop.options import Settings
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import Stretch
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["Steady", "UntilDrained"]


def stretches(settings: Settings) -> list[Stretch]:
    """Return one stretch."""
    return [Stretch(settings.seconds, settings.rate, settings.duration_ms)]


class Steady(OpenLoopUser):
    """Open loop at a steady rate."""

    scenario = Scenario("steady", stretches)
