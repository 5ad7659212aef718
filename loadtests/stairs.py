"""Tasks at rates that rise from step to step as listed: a whole curve in one run."""

from itertools import pairwise

from loadtests.openloop.options import OPTIONS, LoadSettings, Option
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.user import OpenLoopUser
from results.errors import BlockpointError

__all__ = ["Stairs", "UntilDrained"]

RATE = OPTIONS["rate"]


def steps(settings: LoadSettings) -> list[PlannedStep]:
    """Return a step for each rate, equally long; a queue that a lower rate left is no burden to a higher."""
    rates = [RATE.read(text) for text in settings.rates.split(",")]
    if any(low >= high for low, high in pairwise(rates)):
        raise BlockpointError(f"--rates: {settings.rates} does not rise from step to step")
    if settings.rate not in (RATE.default, rates[-1]):
        raise BlockpointError(f"{RATE.flag}: {settings.rate:g} is not the last of --rates")
    return [PlannedStep(settings.seconds / len(rates), rate, settings.duration_ms) for rate in rates]


class Stairs(OpenLoopUser):
    """Open loop at rates that rise."""

    scenario = Scenario(
        "stairs",
        steps,
        (Option("rates", "10,20,50,100,200", "task arrivals per second, a step each, sharing --seconds"),),
    )
