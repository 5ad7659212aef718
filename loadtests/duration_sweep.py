"""Tasks at one fixed rate whose duration grows from step to step: how long may a task be."""

from loadtests.openloop.options import COMMON, Option, Settings
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import Stretch
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser

__all__ = ["DurationSweep", "UntilDrained"]

DURATION = next(option for option in COMMON if option.name == "duration_ms")


def stretches(settings: Settings) -> list[Stretch]:
    """Return a step per duration, equally long."""
    durations = [DURATION.read(text) for text in settings.durations.split(",")]
    return [Stretch(settings.seconds / len(durations), settings.rate, duration) for duration in durations]


class DurationSweep(OpenLoopUser):
    """Open loop at a steady rate of growing tasks."""

    scenario = Scenario(
        "duration_sweep",
        stretches,
        (Option("durations", "10,100,1000", "task durations in ms, a step each, sharing --seconds equally"),),
    )
