"""What an option takes: numbers within bounds, durations, kinds of task, cores, URLs."""

import math
from typing import TYPE_CHECKING, Any

import click

from results.terms import KINDS

if TYPE_CHECKING:
    from harness.target.placement import Placement

MIN_DURATION_MS = 0.001
"""below a microsecond, but for 0, ceilings leave the range of numbers"""
MAX_DURATION_MS = 60_000
MIN_RATE_PER_S = 0.01
"""the generator's own limit"""
MAX_RATE_PER_S = 20_000


class Number(click.FloatRange):
    """A number within bounds; what is not finite is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Ratio(Number):
    """A number within bounds, or 0 for none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        return 0.0 if str(value).strip() in ("0", "0.0") else super().convert(value, param, ctx)


class Milliseconds(click.ParamType[float]):
    """A duration: `250`, `250ms` or `1.5s`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return milliseconds."""
        text = str(value).strip().lower()
        factor = 1.0
        for unit, scale in (("ms", 1.0), ("s", 1000.0)):
            if text.endswith(unit):
                text, factor = text.removesuffix(unit), scale
                break
        try:
            milliseconds = float(text) * factor
        except ValueError:
            self.fail(f"{value!r} is not a duration; write 250, 250ms or 1.5s", param, ctx)
        if milliseconds and not MIN_DURATION_MS <= milliseconds <= MAX_DURATION_MS:
            self.fail(
                f"{value!r} is outside {MIN_DURATION_MS:g} to {MAX_DURATION_MS} ms, and not 0", param, ctx
            )
        return milliseconds


class KindOfTask(click.ParamType[str]):
    """A kind of task."""

    name = "kind"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> str:
        """Return the kind; raises BlockpointError offering the nearest."""
        from results.errors import lookup

        return lookup("kind", str(value), {kind: kind for kind in KINDS})


class Cores(click.ParamType["Placement"]):
    """Cores by role: `web=0,worker=1-2,generator=3`."""

    name = "role=cores"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> "Placement":
        """Return the placement; raises BlockpointError for an unknown role or core."""
        from harness.target.placement import Placement

        return Placement.parse(str(value))


class RedisUrl(click.ParamType[str]):
    """The URL of a Redis server's database; empty for the embedded broker."""

    name = "url"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> str:
        """Return its normal form; raises BlockpointError where it has none."""
        from targets.redis_server import RedisServer

        return RedisServer.parse(str(value)).url if value else ""


RATE = Number(MIN_RATE_PER_S, MAX_RATE_PER_S)
SECONDS = Number(0.5, 3600)
PORT = click.IntRange(1, 65535)
TOPOLOGIES = click.Choice(["one-box", "split"])
