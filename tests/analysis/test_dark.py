import re
from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from analysis.charts.catalogue import catalogue
from analysis.charts.dark import dark_rules, follow_the_reader
from analysis.charts.grid import Caption, make_grid, shape_for
from analysis.charts.style import COLOURS, to_svg
from analysis.trials.derive import read_derived
from results.store import Campaign
from tests.analysis.synthetic import Truth


def painted(colour: str, *, rasterized: bool = False) -> Figure:
    figure, (ax,) = make_grid(1, shape_for(1), Caption("A title", "", ""))
    ax.plot([1, 2], [1, 2], color=colour, rasterized=rasterized)
    return figure


def test_every_chart_of_a_campaign_follows_its_reader(small: tuple[Campaign, dict[str, Truth]]) -> None:
    for chart in catalogue(read_derived(small[0].folder)):
        assert chart.draw is not None
        svg = to_svg(chart.draw())
        assert svg.count(b"prefers-color-scheme: dark") == 1, chart.name
        ET.fromstring(svg)


def test_text_is_text(small: tuple[Campaign, dict[str, Truth]]) -> None:
    (chart,) = (each for each in catalogue(read_derived(small[0].folder)) if each.name.startswith("reach"))
    assert chart.draw is not None
    told = [
        element.text
        for element in ET.fromstring(to_svg(chart.draw())).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert {chart.words.title, "celery · tuned", "API blocked"} <= set(told)


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_a_strategy_has_another_colour_in_the_dark(colour: str) -> None:
    rules = dark_rules(to_svg(painted(colour)))
    (dark,) = re.findall(rf'\[style\*="stroke: {colour.lower()}"\]{{stroke:(#\w+)', rules)
    assert dark != colour.lower()


def test_the_light_face_stays_for_readers_without_rules() -> None:
    svg = to_svg(painted("#0072B2"))
    assert b"stroke: #0072b2" in re.sub(rb"<style.*?</style>", b"", svg, flags=re.DOTALL)
    assert b"fill: #ffffff" in svg


def test_hatching_and_unnamed_text_follow_too() -> None:
    rules = dark_rules(b'<style></style><rect fill="#fbe3a8"/><text>black</text>')
    assert '[fill="#fbe3a8"]{fill:' in rules
    assert 'text:not([style*="fill: "])' in rules


@pytest.mark.parametrize(
    "figure", [painted("#123456"), painted("#0072B2", rasterized=True)], ids=["a strange colour", "pixels"]
)
def test_what_has_no_dark_face_stays_on_white_paper(figure: Figure) -> None:
    svg = to_svg(figure)
    assert b"prefers-color-scheme" not in svg
    assert follow_the_reader(svg) == svg
