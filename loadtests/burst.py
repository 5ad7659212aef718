"""A spike over a base load, then recovery: how deep does the API sink and how long until it is back."""

from loadtests.openloop.options import LoadSettings, Option
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser
from results.errors import BlockpointError

__all__ = ["Burst", "UntilDrained"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return base, spike and recovery; the base gets a third of what the spike leaves of --seconds."""
    rest = settings.seconds - settings.burst_seconds
    if rest <= 0:
        raise BlockpointError(
            f"--burst-seconds: {settings.burst_seconds:g} leaves nothing of --seconds {settings.seconds:g}"
        )
    return [
        PlannedStep(rest / 3, settings.rate, settings.duration_ms),
        PlannedStep(settings.burst_seconds, settings.burst_rate, settings.duration_ms),
        PlannedStep(rest * 2 / 3, settings.rate, settings.duration_ms),
    ]


class Burst(OpenLoopUser):
    """Open loop with a spike."""

    scenario = Scenario(
        "burst",
        steps,
        (
            Option("burst_rate", 200.0, "task arrivals per second during the spike", 0.01, 100_000),
            Option("burst_seconds", 3.0, "length of the spike, s, part of --seconds", 0.1, 86_400),
        ),
    )
