"""Tasks at one fixed rate whose duration grows from step to step: how long may a task be."""

from loadtests.openloop.options import OPTIONS, LoadSettings, Option
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser
from results.errors import BlockpointError

__all__ = ["DurationSweep", "UntilDrained"]

DURATION = OPTIONS["duration_ms"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return a step per duration, equally long."""
    durations = [DURATION.read(text) for text in settings.durations.split(",")]
    if settings.duration_ms not in (DURATION.default, *durations):
        raise BlockpointError(f"{DURATION.flag}: {settings.duration_ms:g} is not one of --durations")
    return [PlannedStep(settings.seconds / len(durations), settings.rate, duration) for duration in durations]


class DurationSweep(OpenLoopUser):
    """Open loop at a steady rate of growing tasks."""

    scenario = Scenario(
        "duration_sweep",
        steps,
        (Option("durations", "10,100,1000", "task durations in ms, a step each, sharing --seconds equally"),),
    )
