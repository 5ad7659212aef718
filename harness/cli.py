"""The command line; everything heavy is imported by the command that needs it."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.options import (
    PORT,
    RATE,
    SECONDS,
    TOPOLOGIES,
    KindOfTask,
    Milliseconds,
    Number,
    agent,
    as_json,
    campaign_options,
    default,
    generator_options,
    machine_options,
    noting,
    seed,
    service_file,
    service_options,
    strategy_options,
    subject_options,
    target_options,
    traffic_options,
)
from harness.task_options import task_options
from harness.terminal import document
from harness.terminal.exits import DONE, ERROR, FAULT, INTERRUPTED, UNANSWERED
from harness.terminal.outlets import outlets
from harness.terminal.signals import Ended, interruptible, last_words
from results.errors import BlockpointError
from results.traffic import MOST_VARIATION

MAX_BUDGET_S = 366 * 86_400
EXIT_CODES = (
    f"Exit codes: {DONE} where every point asked for was answered, {UNANSWERED} where one is unfinished or "
    f"could not be measured, {ERROR} for an error, {INTERRUPTED} where it was interrupted."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blockpoint")
def blockpoint() -> None:
    """Measure where FastAPI's ways of running background work start to block the API."""


@blockpoint.command("run")
@default("--profile", "quick", help="smoke, quick or full; see `blockpoint list`.")
@subject_options
@click.option(
    "--rate", "rates_per_s", multiple=True, type=RATE, help="Arrival rates per second, instead of the grid."
)
@click.option("--seconds", type=SECONDS, help="Length of each trial; six tasks at the least.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Times that every trial is measured.")
@task_options
@traffic_options
@generator_options
@agent
@campaign_options
def run_command(agent: str, **given: Any) -> None:
    """Measure a campaign: every trial of a profile, each strategy in processes of its own."""
    from harness.commands.elsewhere import with_agent
    from harness.commands.own_task import with_own_task
    from harness.commands.run import RunCommand, RunRequest

    sys.exit(RunCommand(with_own_task(with_agent(RunRequest(**given), agent))).execute())


@blockpoint.command("find", epilog=EXIT_CODES)
@default("--profile", "standard", help="smoke, quick, standard or full; see `blockpoint list`.")
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
@click.option("--seconds", type=SECONDS, help="Shortest length of a trial.")
@click.option("--max-trials", type=click.IntRange(1, 1000), help="Valid trials that a point gets at most.")
@click.option(
    "--budget", "budget_s", type=Number(1, MAX_BUDGET_S), help="Seconds after which no trial begins."
)
@default("--predict/--no-predict", True, help="Begin at what theory expects.")
@task_options
@service_options
@traffic_options
@generator_options
@agent
@campaign_options
def find_command(
    file: Path | None, owned: tuple[str, ...], most_requests: int, agent: str, **given: Any
) -> None:
    """Search the rates at which each strategy starts to block the API and at which its work falls behind.

    With -f FILE the same of a service of your own, as FILE declares it; see docs/your-service.md.
    """
    from harness.commands.elsewhere import with_agent
    from harness.commands.find import FindCommand, FindRequest
    from harness.commands.own_task import with_own_task

    if file is None:
        sys.exit(FindCommand(with_own_task(with_agent(FindRequest(**given), agent))).execute())
    from harness.commands.find_service import ServiceCommand, ServiceRequest

    own = {"loop": "its own loop", "http": "its own parser"}
    request = ServiceRequest(file=file, owned=owned, most_requests=most_requests, **{**given, **own})
    sys.exit(ServiceCommand(request).execute())


@blockpoint.command("drill", context_settings={"default_map": {"slots": 4}})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@strategy_options
@default(
    "--repeats", 1, type=click.IntRange(1, 1000), help="Times that every drill is done with every strategy."
)
@default(
    "--jobs",
    1,
    "--lanes",
    "jobs",
    type=click.IntRange(1, 64),
    help="Drills beside each other; above 1 only the counts are reported, no latency.",
)
@click.option("--spread", is_flag=True, help="Let the variants of a strategy share its repeats.")
@service_file
@campaign_options
def drill_command(file: Path | None, **given: Any) -> None:
    """Break what can break (all drills, or those NAMEd) and count what became of every task.

    With -f FILE the same of a service of your own that FILE starts; see docs/your-service.md.
    """
    from harness.commands.drill import DrillCommand, DrillRequest

    if file is None:
        sys.exit(DrillCommand(DrillRequest(**given)).execute())
    from harness.commands.drill_service import ServiceDrillCommand, ServiceDrillRequest

    own = {"loop": "its own loop", "http": "its own parser"}
    sys.exit(ServiceDrillCommand(ServiceDrillRequest(file=file, **{**given, **own})).execute())


@blockpoint.command("check")
@default("--strategy", "background_tasks/default", metavar="NAME[/VARIANT]", help="What is measured twice.")
@default("--kind", "sleep", type=KindOfTask(), help="Kind of task.")
@default("--duration", "50ms", "duration_ms", type=Milliseconds(), help="Task duration.")
@default("--topology", "one-box", type=TOPOLOGIES, help="Who shares cores.")
@click.option("--rate", "rate_per_s", type=RATE, help="Arrival rate per second, instead of a fraction.")
@default(
    "--fraction", 0.5, type=Number(0.001, 10), help="Arrival rate as a fraction of the predicted ceiling."
)
@default("--seconds", 5.0, type=SECONDS, help="Length of a trial.")
@default("--pairs", 3, type=click.IntRange(1, 1000), help="Times that both are measured.")
@default("--attempts", 3, type=click.IntRange(1, 100), help="Tries of an invalid trial.")
@click.option(
    "--slip-limit-ms",
    default=0.0,
    type=Number(0, 1000),
    help="Lateness of the generator that is let pass, for both names alike.  [default: 1 ms]",
)
@seed
@target_options
@machine_options
@click.option("--name", default="", help="The campaign's name; by default `check` and the time.")
@click.option("--resume", default="", metavar="CAMPAIGN", help="Go on with an interrupted check.")
@as_json
def check_command(**given: Any) -> None:
    """Measure one strategy twice under two names: a difference that is found is noise (A/A)."""
    from harness.commands.check import CheckCommand, CheckRequest

    sys.exit(CheckCommand(CheckRequest(**given)).execute())


@blockpoint.command("report")
@click.argument("campaign")
@click.option(
    "--slo-ms",
    "limit_ms",
    type=Number(1, 60_000),
    help="Judge the same trials by this limit, into at-<LIMIT>ms/ of the campaign.  [default: its own]",
)
@click.option("--notebooks", is_flag=True, help="Execute the notebooks too, into report/notebooks/.")
def report_command(campaign: str, limit_ms: float | None, *, notebooks: bool) -> None:
    """Make the charts and the page of a CAMPAIGN (a name under results/runs, or a folder)."""
    from harness.commands.report import report

    report(campaign, click.echo, limit_ms, notebooks=notebooks)


@blockpoint.command("plan")
@click.argument("campaign", default="", metavar="[CAMPAIGN]")
@click.option("--rate", required=True, metavar="RATE", help="Tasks a second: 120, or 80..150.")
@click.option(
    "--duration", "duration_ms", type=Milliseconds(), help="How long a task lasts: 800ms; not of a service."
)
@default("--cv", 0.0, type=Number(0, MOST_VARIATION), help="Coefficient of variation of the durations.")
@default("--kind", "io", help="io (waits), cpu (computes), or a kind that `blockpoint list` names.")
@click.option(
    "--slo-p99",
    "slo_p99_ms",
    type=Milliseconds(),
    help="99 of 100 requests are answered in.  [default: 200ms; of a service its campaign's limit]",
)
@default(
    "--done-within", "10s", "done_within_ms", type=Milliseconds(), help="99 of 100 tasks have ended after."
)
@click.option("--durable", is_flag=True, help="No accepted task lost when the web process or a worker dies.")
@click.option("--cores", type=click.IntRange(1, 1024), help="For the whole target; else as measured.")
@default("--peak", 300.0, "peak_s", type=SECONDS, metavar="SECONDS", help="The busiest stretch to carry.")
@default("--headroom", 1.2, type=Number(1, 10), help="Carry so many times the highest rate.")
@click.option(
    "--pool",
    type=click.IntRange(1, 100_000),
    help="Of a service: how many connections, threads or slots it has of what blocks.",
)
@click.option("--html", default="", metavar="FILE", help="Write the plan as a page, too.")
@as_json
@noting("duration_ms", "cv", "kind", "done_within_ms", "durable", "peak_s", "pool")
def plan_command(rate: str, kind: str, **given: Any) -> None:
    """Say which strategies carry a demand and how many it takes, by the trials of a CAMPAIGN.

    Without one, by the published quick reference; of a service's campaign, how many processes of it. Exit
    codes: 0 where something carries it, 1 where nothing that was measured does, 2 for an error.
    """
    from harness.commands.plan import plan
    from harness.commands.plan_request import PlanRequest, kind_of, parse_rates

    sys.exit(plan(PlanRequest(rates_per_s=parse_rates(rate), kind=kind_of(kind), **given)))


@blockpoint.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--fail-if",
    "rules",
    multiple=True,
    metavar="RULE",
    help="'blocking < 0.9': a ratio of B over A that is a regression; without it whatever got worse is.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option("--html", default="", metavar="FILE", help="Write the comparison as a page, too.")
@as_json
def compare_command(**given: Any) -> None:
    """Compare campaign B with campaign A: CAMPAIGN, or CAMPAIGN:STRATEGY/VARIANT for one subject of it.

    Exit codes: 0 where nothing got worse, 1 for a regression, 3 where what was asked is not measurable, 2 for
    an error.
    """
    from harness.commands.compare import CompareRequest, compare

    sys.exit(compare(CompareRequest(**given)))


@blockpoint.command("verify")
@click.argument("campaigns", nargs=-1, metavar="[CAMPAIGN]...")
@click.option(
    "-f",
    "--file",
    default="",
    metavar="FILE",
    help="Where the objectives are.  [default: blockpoint.toml, else pyproject.toml]",
)
@as_json
def verify_command(**given: Any) -> None:
    """Say whether CAMPAIGNs, the newest without a name, met the objectives of a file.

    Exit codes: 0 where all are met, 1 where one is missed, 3 where none is missed and one is not known, 2 for
    an error.
    """
    from harness.commands.verify import VerifyRequest, verify

    sys.exit(verify(VerifyRequest(**given)))


@blockpoint.command("notebook")
@click.argument("campaign")
@click.option("--name", default="", metavar="NOTEBOOK", help="Only this one, for example 01_where_it_blocks.")
@default("--open/--no-open", True, "opened", help="Open it in Jupyter, or only write the files.")
def notebook_command(campaign: str, name: str, *, opened: bool) -> None:
    """Write a CAMPAIGN's notebooks into its folder `notebooks`, yours to change, and open them in Jupyter."""
    from harness.commands.notebook import notebook

    sys.exit(0 if notebook(campaign, name, click.echo, opened=opened) else 1)


@blockpoint.command("environments")
@click.argument("strategies", nargs=-1, metavar="[STRATEGY[@VERSION]]...")
@default("--servers/--no-servers", True, help="Their brokers' servers too, or the libraries alone.")
def environments_command(strategies: tuple[str, ...], *, servers: bool) -> None:
    """Make the environments of strategies, all without a name, before they are needed.

    Prints where each has its Python.
    """
    from harness.commands.environments import environments

    for line in environments(strategies, servers=servers):
        click.echo(line)


@blockpoint.command("serve")
@click.argument("strategy")
@click.argument("variant", default="default")
@default("--port", 8000, type=PORT, help="Port of the API.")
@default("--host", "127.0.0.1", help="Address to listen on; keep it loopback.")
@task_options
@target_options
def serve_command(**given: Any) -> None:
    """Run a STRATEGY in a VARIANT in the foreground: broker, sink, API and workers, until Ctrl-C.

    Takes BLOCKPOINT_SLOTS, _ANYIO_TOKENS, _WEB_PROCESSES, _MIDDLEWARE, _CORES, _VISIBILITY_S,
    _JOB_TIMEOUT_S, _UNITS_PER_MS_CPU, _UNITS_PER_MS_CPU_NATIVE and _DRILLS from the environment too; an
    option goes before its variable.
    """
    from harness.commands.serve import serve

    serve(**given)


@blockpoint.command("generator")
@click.option("--master", required=True, metavar="HOST:PORT", help="As --generators of the command has it.")
@default("--processes", 1, type=click.IntRange(1, 64), help="Generators here, each on a core of its own.")
def generator_command(**given: Any) -> None:
    """Generate a share of the load of a `find` or `run` on another host, trial after trial, until Ctrl-C.

    It runs the locustfiles that the other host sends: connect it to a host that you trust, over a network
    that you trust.
    """
    from harness.commands.generator import generate

    generate(**given, say=click.echo)


@blockpoint.command("agent")
@default(
    "--listen",
    "127.0.0.1:8700",
    metavar="HOST:PORT",
    help="Where it answers, and its targets at other ports.",
)
def agent_command(listen: str) -> None:
    """Start targets on this host for a `find` or `run` --agent of another, one at a time, until Ctrl-C.

    It answers to whoever knows its token, in BLOCKPOINT_AGENT_TOKEN or in a file that it makes at its first
    start: listen on a network that you trust.
    """
    from harness.commands.agent import serve_agent

    serve_agent(listen=listen, say=click.echo)


@blockpoint.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """List strategies, variants, kinds of task, scenarios and profiles, with what each means."""
    from harness.commands.list import listing, names

    if as_json:
        document.write("list", names())
    else:
        click.echo("\n".join(listing()))


@blockpoint.command("doctor")
@default("--port", 8000, type=PORT, help="Port to be checked.")
@as_json
def doctor_command(port: int, as_json: bool) -> None:
    """Say whether this machine is fit to measure on, and what to do where it is not."""
    from harness.commands.doctor import BAD, diagnose

    found = []
    for finding in diagnose(port):
        click.echo(finding.line(), err=as_json)
        found.append(finding)
    fit = all(finding.severity < BAD for finding in found)
    if as_json:
        document.write("doctor", {"fit": fit, "checks": [finding.document() for finding in found]})
    sys.exit(DONE if fit else FAULT)


@outlets()
def main() -> None:
    """Run the command line: an error is one line on standard error and a non-zero exit."""
    try:
        with interruptible():
            blockpoint(standalone_mode=False)
    except BlockpointError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(ERROR)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        last_words("interrupted")
        sys.exit(INTERRUPTED)
    except Ended as end:
        last_words(f"ended by {end.name}")
        sys.exit(end.code)
