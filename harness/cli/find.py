"""The command `find`: its options, and whom it hands them to."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.options.campaign import campaign_options
from harness.options.decorators import default
from harness.options.hosts import agent, generator_options
from harness.options.parameter_types import RATE, SECONDS, Number
from harness.options.service import ITS_OWN, service_options
from harness.options.subjects import subject_options
from harness.options.task import task_options
from harness.options.traffic import traffic_options
from harness.terminal.exits import DONE, ERROR, INTERRUPTED, UNANSWERED

MAX_BUDGET_S = 366 * 86_400
EXIT_CODES = (
    f"Exit codes: {DONE} where every point asked for was answered, {UNANSWERED} where one is unfinished or "
    f"could not be measured, {ERROR} for an error, {INTERRUPTED} where it was interrupted."
)


@click.command("find", epilog=EXIT_CODES)
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

    request = ServiceRequest(file=file, owned=owned, most_requests=most_requests, **{**given, **ITS_OWN})
    sys.exit(ServiceCommand(request).execute())
