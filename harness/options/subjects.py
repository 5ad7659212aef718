"""What is measured: strategies, kinds of task, versions."""

import click

from harness.options.decorators import default, together
from harness.options.parameter_types import TOPOLOGIES, KindOfTask, Milliseconds
from results.terms import KINDS

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
