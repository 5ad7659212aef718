"""The command `plan`: its options, and whom it hands them to."""

import sys
from typing import Any

import click

from harness.options.decorators import default, noting
from harness.options.output import as_json
from harness.options.parameter_types import SECONDS, Milliseconds, Number
from results.traffic import MOST_VARIATION


@click.command("plan")
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
