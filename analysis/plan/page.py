"""A plan as one page that needs nothing else."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.plan.words import ToldPlan


def plan_page(told: ToldPlan, drawing: str = "") -> str:
    """Return the page, with the drawing of an SVG element where there is one."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(told=told, drawing=Markup(drawing))
