"""Tasks at a rate that rises in equal steps: where does the API begin to suffer, seen in one run."""

import numpy as np

from loadtests.openloop.options import LoadSettings, Option
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser
from results.errors import BlockpointError

__all__ = ["Ramp", "UntilDrained"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return equally long steps from --rate to --top-rate."""
    if settings.top_rate <= settings.rate:
        raise BlockpointError(f"--top-rate: {settings.top_rate:g} is not above --rate {settings.rate:g}")
    rates = np.linspace(settings.rate, settings.top_rate, settings.steps).tolist()
    return [PlannedStep(settings.seconds / settings.steps, rate, settings.duration_ms) for rate in rates]


class Ramp(OpenLoopUser):
    """Open loop at a rising rate."""

    scenario = Scenario(
        "ramp",
        steps,
        (
            Option("steps", 5, "steps from --rate to --top-rate, sharing --seconds equally", 2, 1000),
            Option("top_rate", 200.0, "task arrivals per second in the last step", 0.01, 100_000),
        ),
    )
