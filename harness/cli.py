"""The command line; everything heavy is imported by the command that needs it."""

import functools
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from harness.terminal.outlets import outlets
from harness.terminal.signals import Ended, interruptible, last_words
from results.errors import BlockpointError
from results.terms import KINDS

if TYPE_CHECKING:
    from harness.target.placement import Placement

MIN_DURATION_MS = 0.001
"""below a microsecond, but for 0, ceilings leave the range of numbers"""
MAX_DURATION_MS = 60_000
MIN_RATE_PER_S = 0.01
"""the generator's own limit"""
MAX_RATE_PER_S = 20_000
MAX_BUDGET_S = 366 * 86_400


class Number(click.FloatRange):
    """A number within bounds; what is not finite is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


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


class Kind(click.ParamType[str]):
    """A kind of task."""

    name = "kind"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> str:
        """Return the kind; raises BlockpointError offering the nearest."""
        from results.errors import unknown

        if value not in KINDS:
            raise unknown("kind", str(value), KINDS)
        return str(value)


class Cores(click.ParamType["Placement"]):
    """Cores by role: `web=0,worker=1-2,generator=3`."""

    name = "role=cores"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> "Placement":
        """Return the placement; raises BlockpointError for an unknown role or core."""
        from harness.target.placement import parse

        return parse(str(value))


class RedisUrl(click.ParamType[str]):
    """The URL of a Redis server's database; empty for the embedded broker."""

    name = "url"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> str:
        """Return its normal form; raises BlockpointError where it has none."""
        from targets.redis_server import RedisServer

        return RedisServer.parse(str(value)).url if value else ""


RATE = Number(MIN_RATE_PER_S, MAX_RATE_PER_S)
LOOPS = click.Choice(["auto", "asyncio", "uvloop"])
HTTPS = click.Choice(["auto", "h11", "httptools"])
TOPOLOGIES = click.Choice(["one-box", "split"])


def target_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what target is started."""
    slots = click.IntRange(1, 1000)
    for option in (
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
        click.option("--http", default="auto", show_default=True, type=HTTPS, help="uvicorn's HTTP parser."),
        click.option("--loop", default="auto", show_default=True, type=LOOPS, help="uvicorn's event loop."),
        click.option(
            "--anyio-tokens",
            default=40,
            show_default=True,
            type=slots,
            help="Threads of a web process for `def` endpoints and `def` background tasks.",
        ),
        click.option("--slots", default=40, show_default=True, type=slots, help="Slots of tuned variants."),
    ):
        command = option(command)
    return _noting(command, "slots", "anyio_tokens")


def _noting(command: Callable[..., None], *names: str) -> Callable[..., None]:
    """Pass on which of these options were given, as `asked`: each with how it was spelt."""

    @functools.wraps(command)
    def noting(**given: Any) -> None:
        source = click.get_current_context().get_parameter_source
        asked = {
            name: f"--{name.replace('_', '-')} {given[name]}"
            for name in names
            if source(name) is ParameterSource.COMMANDLINE
        }
        command(**given, asked=asked)

    return noting


def machine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which cores are used and how quiet they have to be."""
    for option in (
        click.option(
            "--quiet-wait",
            default=3.0,
            show_default=True,
            type=Number(0, 600),
            metavar="SECONDS",
            help="Longest wait for a quiet machine before each trial; 0 does not look.",
        ),
        click.option(
            "--max-foreign-cores",
            default=0.1,
            show_default=True,
            type=Number(0, 1024),
            help="Cores that other programs may use before a trial is invalid.",
        ),
        click.option(
            "--cores",
            "placement",
            default="",
            type=Cores(),
            help="Where web, worker, broker and generator run, such as web=0,worker=1-2,generator=3.",
        ),
    ):
        command = option(command)
    return command


def subject_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is measured."""
    for option in (
        click.option(
            "--topology",
            "topologies",
            multiple=True,
            type=TOPOLOGIES,
            help="Who shares cores.",
        ),
        click.option(
            "--duration",
            "durations_ms",
            multiple=True,
            type=Milliseconds(),
            help="Task durations, such as 100ms.",
        ),
        click.option(
            "--kind", "kinds", multiple=True, type=Kind(), help=f"Kinds of task: {', '.join(KINDS)}."
        ),
        click.option("--variant", "variants", multiple=True, help="Only these variants."),
        click.option("--strategy", "strategies", multiple=True, metavar="NAME[/VARIANT]", help="Only these."),
    ):
        command = option(command)
    return command


def campaign_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every command that makes a campaign."""
    for option in (
        click.option(
            "--report/--no-report", default=True, show_default=True, help="Make the report at the end."
        ),
        click.option("--dry-run", is_flag=True, help="Print what would be measured, run nothing."),
        click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted campaign."),
        click.option("--name", default="", help="The campaign's name; by default the profile and the time."),
        machine_options,
        target_options,
        click.option(
            "--seed",
            default=1,
            show_default=True,
            type=click.IntRange(0, 2**31),
            help="Seed of all schedules.",
        ),
        click.option(
            "--attempts", type=click.IntRange(1, 100), help="Tries that an invalid trial gets in all."
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blockpoint")
def blockpoint() -> None:
    """Measure where FastAPI's ways of running background work start to block the API."""


@blockpoint.command()
@click.option(
    "--profile", default="quick", show_default=True, help="smoke, quick or full; see `blockpoint list`."
)
@subject_options
@click.option(
    "--rate", "rates_per_s", multiple=True, type=RATE, help="Arrival rates per second, instead of the grid."
)
@click.option("--seconds", type=Number(0.5, 3600), help="Length of each trial; six tasks at the least.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Times that every trial is measured.")
@campaign_options
def run(**given: Any) -> None:
    """Measure a campaign: every trial of a profile, each strategy in processes of its own."""
    from harness.campaign.resumed import say_kept
    from harness.commands.run import Run, RunRequest

    say_kept()
    sys.exit(Run(RunRequest(**given)).execute())


@blockpoint.command()
@click.option(
    "--profile",
    default="standard",
    show_default=True,
    help="smoke, quick, standard or full; see `blockpoint list`.",
)
@subject_options
@click.option(
    "--slo-ms",
    "limit_ms",
    type=Number(1, 60_000),
    help="A stream of requests is blocked where its p99 is above this.  [default: 100]",
)
@click.option(
    "--precision",
    type=Number(1.01, 10),
    help="Wanted width of an interval: lowest rate that failed over highest that held.",
)
@click.option("--max-rate", "highest_per_s", type=RATE, help="No rate above this is tried.")
@click.option("--seconds", type=Number(0.5, 3600), help="Shortest length of a trial.")
@click.option("--max-trials", type=click.IntRange(1, 1000), help="Valid trials that a point gets at most.")
@click.option(
    "--budget", "budget_s", type=Number(1, MAX_BUDGET_S), help="Seconds after which no trial begins."
)
@click.option("--predict/--no-predict", default=True, show_default=True, help="Begin at what theory expects.")
@campaign_options
def find(**given: Any) -> None:
    """Search the rates at which each strategy starts to block the API and at which its work falls behind."""
    from harness.campaign.resumed import say_kept
    from harness.commands.find import Find, FindRequest

    say_kept()
    sys.exit(Find(FindRequest(**given)).execute())


@blockpoint.command(context_settings={"default_map": {"slots": 4}})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--variant", "variants", multiple=True, help="Only these variants.")
@click.option("--strategy", "strategies", multiple=True, metavar="NAME[/VARIANT]", help="Only these.")
@click.option(
    "--repeats",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Times that every drill is done with every strategy.",
)
@click.option(
    "--jobs",
    "--lanes",
    "jobs",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Drills beside each other; above 1 only the counts are reported, no latency.",
)
@click.option("--spread", is_flag=True, help="Let the variants of a strategy share its repeats.")
@campaign_options
def drill(**given: Any) -> None:
    """Break what can break (all drills, or those NAMEd) and count what became of every task."""
    from harness.campaign.resumed import say_kept
    from harness.commands.drill import DrillCommand, DrillRequest

    say_kept()
    sys.exit(DrillCommand(DrillRequest(**given)).execute())


@blockpoint.command()
@click.option(
    "--strategy",
    default="background_tasks/default",
    show_default=True,
    metavar="NAME[/VARIANT]",
    help="What is measured twice.",
)
@click.option("--kind", default="sleep", show_default=True, type=Kind(), help="Kind of task.")
@click.option(
    "--duration", "duration_ms", default="50ms", type=Milliseconds(), show_default=True, help="Task duration."
)
@click.option("--topology", default="one-box", show_default=True, type=TOPOLOGIES, help="Who shares cores.")
@click.option("--rate", "rate_per_s", type=RATE, help="Arrival rate per second, instead of a fraction.")
@click.option(
    "--fraction",
    default=0.5,
    show_default=True,
    type=Number(0.001, 10),
    help="Arrival rate as a fraction of the predicted ceiling.",
)
@click.option("--seconds", default=5.0, show_default=True, type=Number(0.5, 3600), help="Length of a trial.")
@click.option(
    "--pairs",
    default=3,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Times that both are measured.",
)
@click.option(
    "--attempts", default=3, show_default=True, type=click.IntRange(1, 100), help="Tries of an invalid trial."
)
@click.option(
    "--slip-limit-ms",
    default=0.0,
    type=Number(0, 1000),
    help="Lateness of the generator that is let pass, for both names alike.  [default: 1 ms]",
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0, 2**31), help="Seed of all schedules."
)
@target_options
@machine_options
@click.option("--name", default="", help="The campaign's name; by default `check` and the time.")
@click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted check.")
def check(**given: Any) -> None:
    """Measure one strategy twice under two names: a difference that is found is noise (A/A)."""
    from harness.campaign.resumed import say_kept
    from harness.commands.check import Check, CheckRequest

    say_kept()
    sys.exit(Check(CheckRequest(**given)).execute())


@blockpoint.command()
@click.argument("campaign")
def report(campaign: str) -> None:
    """Make the charts, notebooks and page of a CAMPAIGN (a name under results/runs, or a folder)."""
    from harness.commands.report import report_command

    report_command(campaign, click.echo)


@blockpoint.command()
@click.argument("strategy")
@click.argument("variant", default="default")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the API."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; keep it loopback."
)
@target_options
def serve(**given: Any) -> None:
    """Run a STRATEGY in a VARIANT in the foreground: broker, API and workers, until Ctrl-C.

    Takes BLOCKPOINT_SLOTS, _ANYIO_TOKENS, _CORES, _VISIBILITY_S, _JOB_TIMEOUT_S, _UNITS_PER_MS_CPU,
    _UNITS_PER_MS_CPU_NATIVE and _DRILLS from the environment too; an option goes before its variable.
    """
    from harness.commands.serve import serve_command

    serve_command(**given)


@blockpoint.command("list")
def list_() -> None:
    """List strategies, variants, kinds of task, scenarios and profiles, with what each means."""
    from harness.commands.list import listing

    for line in listing():
        click.echo(line)


@blockpoint.command()
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to be checked."
)
def doctor(port: int) -> None:
    """Say whether this machine is fit to measure on, and what to do where it is not."""
    from harness.commands.doctor import diagnose

    worst = 0
    for finding in diagnose(port):
        click.echo(finding.line())
        worst = max(worst, finding.severity)
    sys.exit(1 if worst > 1 else 0)


@outlets()
def main() -> None:
    """Run the command line: an error is one line on standard error and a non-zero exit."""
    try:
        with interruptible():
            blockpoint(standalone_mode=False)
    except BlockpointError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        last_words("interrupted")
        sys.exit(130)
    except Ended as end:
        last_words(f"ended by {end.name}")
        sys.exit(end.code)
