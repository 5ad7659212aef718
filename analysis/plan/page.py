"""A plan as one page that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.plan.demand import Demand
from analysis.plan.measures import Measures
from analysis.plan.options import Option, Refusal
from analysis.plan.staircase import draw, stairs
from analysis.plan.words import COLUMNS, plan_cells, reasons, refusal, source, title


def plan_page(found: Measures, demand: Demand, able: Sequence[Option], unable: Sequence[Refusal]) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(
        title=title(demand),
        columns=COLUMNS,
        options=[(plan_cells(each), list(reasons(each, demand))) for each in able],
        refusals=list(map(refusal, unable)),
        source=list(source(found, demand)),
        drawing=Markup(draw(stairs(able, demand), demand)),
    )
