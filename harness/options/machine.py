"""Which cores are used, and how quiet they have to be."""

import click

from harness.options.decorators import default, together
from harness.options.parameter_types import Cores, Number

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
