"""The options of the commands: their types, each option that several share, and the groups that they form."""

import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from results.terms import KINDS
from results.traffic import ARRIVALS, BURST_MEAN_S, LEAST_MIX, MOST_MIX, MOST_VARIATION

if TYPE_CHECKING:
    from harness.target.placement import Placement

Body = Callable[..., None]
"""of a command"""
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
SLOTS = click.IntRange(1, 1000)
WEB_PROCESSES = click.IntRange(1, 64)
LOOPS = click.Choice(["auto", "asyncio", "uvloop"])
HTTPS = click.Choice(["auto", "h11", "httptools"])
TOPOLOGIES = click.Choice(["one-box", "split"])


def default(flag: str, value: Any, *names: str, **more: Any) -> Callable[[Body], Body]:
    """Return an option that shows its default."""
    return click.option(flag, *names, default=value, show_default=True, **more)


def together(*options: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Return several options as one; help shows them in this order."""

    def add(command: Body) -> Body:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _spelt(option: click.Parameter, value: Any) -> str:
    if not isinstance(value, bool):
        return f"{option.opts[0]} {value}"
    return (option.opts if value else option.secondary_opts)[0]


def noting(*names: str) -> Callable[[Body], Body]:
    """Pass on which of these options were given, as `asked`: each with how it was spelt."""

    def wrap(command: Body) -> Body:
        @functools.wraps(command)
        def noted(**given: Any) -> None:
            context = click.get_current_context()
            source, options = context.get_parameter_source, context.command.params
            asked = {
                str(option.name): _spelt(option, given[str(option.name)])
                for option in options
                if option.name in names and source(str(option.name)) is ParameterSource.COMMANDLINE
            }
            command(**given, asked=asked)

        return noted

    return wrap


seed = default("--seed", 1, type=click.IntRange(0, 2**31), help="Seed of all schedules.")

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document (docs/json.md); all else goes to standard error.",
)

target_options = together(
    default("--slots", 40, type=SLOTS, help="Slots of tuned variants."),
    default(
        "--anyio-tokens",
        40,
        type=SLOTS,
        help="Threads of a web process for `def` endpoints and `def` background tasks.",
    ),
    default(
        "--workers",
        1,
        "web_processes",
        type=WEB_PROCESSES,
        help="uvicorn's worker processes, each with an event loop and a pool of threads of its own.",
    ),
    default(
        "--middleware/--no-middleware",
        False,
        help="A BaseHTTPMiddleware before every endpoint, which times each request.",
    ),
    default("--loop", "auto", type=LOOPS, help="uvicorn's event loop."),
    default("--http", "auto", type=HTTPS, help="uvicorn's HTTP parser."),
    click.option(
        "--redis-url",
        default="",
        type=RedisUrl(),
        envvar="BLOCKPOINT_REDIS_URL",
        show_envvar=True,
        metavar="URL",
        help="A server's empty database, not the embedded broker; in the variable, no list of processes "
        "shows its password.",
    ),
    noting("slots", "anyio_tokens", "web_processes", "middleware"),
)
"""what target is started"""

machine_options = together(
    click.option(
        "--cores",
        "placement",
        default="",
        type=Cores(),
        help="Where web, worker, broker and generator run, such as web=0,worker=1-2,generator=3.",
    ),
    default(
        "--max-foreign-cores",
        0.1,
        type=Number(0, 1024),
        help="Cores that other programs may use before a trial is invalid.",
    ),
    default(
        "--quiet-wait",
        3.0,
        type=Number(0, 600),
        metavar="SECONDS",
        help="Longest wait for a quiet machine before each trial; 0 does not look.",
    ),
)
"""which cores are used and how quiet they have to be"""


def _mustered(command: Body) -> Body:
    """Pass on who generates as `fleet`, and how many cores they want as a part of the placement."""

    @functools.wraps(command)
    def mustered(*, processes: int | None, generators: str, placement: "Placement", **given: Any) -> None:
        from harness.target.fleet import Fleet

        fleet = Fleet.parse(generators, processes)
        placed = dataclasses.replace(placement, generators=max(fleet.processes, 1))
        command(fleet=fleet, placement=placed, **given)

    return mustered


generator_options = together(
    click.option(
        "--processes",
        type=click.IntRange(1, 64),
        metavar="N",
        help="Generator processes here, each on a core of its own, which share the schedule.  [default: 1]",
    ),
    click.option(
        "--generators",
        default="",
        metavar="NUMBER@HOST:PORT",
        help="Generators elsewhere, started there with `blockpoint generator --master HOST:PORT`; HOST is "
        "this host's address, where the target listens, too.",
    ),
    _mustered,
)
"""who generates the load"""

agent = default(
    "--agent",
    "",
    metavar="URL",
    help="Measure targets on the host of this `blockpoint agent`, such as http://10.0.0.5:8700; load comes "
    "from here.",
)
"""where the targets are"""

strategy_options = together(
    click.option("--strategy", "strategies", multiple=True, metavar="NAME[/VARIANT]", help="Only these."),
    click.option("--variant", "variants", multiple=True, help="Only these variants."),
)
"""which strategies are measured"""

subject_options = together(
    strategy_options,
    click.option(
        "--kind", "kinds", multiple=True, type=KindOfTask(), help=f"Kinds of task: {', '.join(KINDS)}."
    ),
    click.option(
        "--duration",
        "durations_ms",
        multiple=True,
        type=Milliseconds(),
        help="Task durations, such as 100ms.",
    ),
    click.option("--topology", "topologies", multiple=True, type=TOPOLOGIES, help="Who shares cores."),
    click.option(
        "--with",
        "versions",
        multiple=True,
        metavar="PACKAGE=VERSION",
        help="In the environment of every strategy; one strategy's own: NAME@VERSION.",
    ),
    default(
        "--python",
        "",
        metavar="VERSION",
        help="The same of the interpreter, as far as uv has one: 3.13, 3.14t.",
    ),
)
"""what is measured"""

service_file = click.option(
    "-f",
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A service of your own: blockpoint.toml, or a pyproject.toml that has [tool.blockpoint].",
)

service_options = together(
    service_file,
    click.option(
        "--i-own",
        "owned",
        multiple=True,
        metavar="HOST",
        help="With -f: you may load this host, which is not the machine that you are at.",
    ),
    default(
        "--max-requests",
        200_000,
        "most_requests",
        type=click.IntRange(100, 1_000_000_000),
        help="With -f: requests in all, above which no trial begins.",
    ),
)
"""a service in the place of strategies"""

traffic_options = together(
    default("--arrivals", "poisson", type=click.Choice(ARRIVALS), help="How tasks come."),
    default(
        "--burst-mean-s",
        BURST_MEAN_S,
        type=Number(0.01, 3_600),
        metavar="SECONDS",
        help="With --arrivals onoff: mean length of a stretch at twice the rate, and of a silence.",
    ),
    click.option(
        "--trace",
        default="",
        metavar="FILE",
        help="With --arrivals trace: arrivals as offsets in s, one a line or a CSV's first column.",
    ),
    default(
        "--cv",
        0.0,
        type=Number(0, MOST_VARIATION),
        help="Coefficient of variation of the tasks' durations, then lognormal; 0: all equally long.",
    ),
    default(
        "--mix",
        0.0,
        type=Ratio(LEAST_MIX, MOST_MIX),
        metavar="RATIO",
        help="One task in ten lasts RATIO times as long as the others, for example 10; 0: as long.",
    ),
)
"""the traffic that is offered"""

campaign_options = together(
    click.option("--attempts", type=click.IntRange(1, 100), help="Tries that an invalid trial gets in all."),
    seed,
    target_options,
    machine_options,
    click.option("--name", default="", help="The campaign's name; by default the profile and the time."),
    click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted campaign."),
    click.option("--dry-run", is_flag=True, help="Print what would be measured, run nothing."),
    default("--report/--no-report", True, help="Make the report at the end."),
    as_json,
)
"""what every command has that makes a campaign"""
