"""The traffic that is offered."""

import click

from harness.options.decorators import default, together
from harness.options.parameter_types import Number, Ratio
from results.traffic import ARRIVALS, BURST_MEAN_S, LEAST_MIX, MOST_MIX, MOST_VARIATION

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
