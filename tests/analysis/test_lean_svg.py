import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis.charts.grid import Caption, make_grid, shape_for
from analysis.charts.style import to_svg
from analysis.charts.tags import tag
from analysis.report.lean_svg import SVG, path, shorten

PLACES = st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=30)
Place = tuple[float, float]


def ends(told: str) -> list[Place]:
    """Return where each step of a path ends that has moves and lines only."""
    found: list[Place] = []
    x = y = 0.0
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", told):
        to = [float(each) for each in re.findall(r"-?[\d.]+", numbers)]
        match command:
            case "M" | "L":
                x, y = to
            case "l":
                x, y = x + to[0], y + to[1]
            case "h":
                x += to[0]
            case "v":
                y += to[0]
        found.append((x, y))
    return found


@given(PLACES)
def test_a_path_ends_where_it_did_however_long_it_is(places: list[Place]) -> None:
    told = " \n".join(f"{'L' if n else 'M'} {x:f} {y:f}" for n, (x, y) in enumerate(places))
    found = ends(path(told))
    assert len(found) == len(places)
    for one, other in zip(itertools.chain(*found), itertools.chain(*places), strict=True):
        assert one == pytest.approx(other, abs=0.0501)


def test_a_path_by_hand() -> None:
    assert path("M 51.84 217.87 \nL 206.64 217.87 \nL 206.64 73.87 \nL 51.9 -3.004 \nz\n") == (
        "M51.8 217.9h154.8v-144l-154.7-76.9z"
    )
    assert path("M 0 2 \nC 0.53 2 1.037 1.79 1.414 1.414") == "M0 2C0.53 2 1.04 1.79 1.41 1.41"


def drawn() -> Figure:
    figure, (ax,) = make_grid(1, shape_for(1), Caption("A title", "beneath", "a caption"))
    for subject, shift in (("a/x", 0), ("b/y", 1)):
        for alpha in (None, 0.5):
            (points,) = ax.plot(
                [1, 2, 3], [1, 2 + shift, 3], marker="o", linestyle="none", color="#0072B2", alpha=alpha
            )
            tag(points, subject, ["one", "two", "three"])
    ax.fill_between([1, 2, 3], [1, 1, 1], [2, 2, 2], hatch="//", facecolor="#FBE3A8", edgecolor="#A86F00")
    return figure


def painted(element: ET.Element, inherited: str = "") -> list[tuple[str, str, str]]:
    """Return what is painted with its look, in order: each mark with that of its group if it has none."""
    style = element.get("style", inherited)
    own = [(element.tag, style, element.get("x", ""))] if element.tag in {f"{SVG}use", f"{SVG}text"} else []
    return own + [each for child in element for each in painted(child, style)]


def test_everything_is_painted_as_before_and_in_the_same_order() -> None:
    before, after = (ET.fromstring(to_svg(drawn())) for _ in range(2))
    shorten(after)
    shown = [[(tag_, style) for tag_, style, _ in painted(root)] for root in (before, after)]
    assert len(shown[0]) > 20
    assert shown[0] == shown[1]
    for (*_, was), (*_, now) in zip(painted(before), painted(after), strict=True):
        assert float(was) == pytest.approx(float(now), abs=0.0501)


@pytest.mark.parametrize(
    ("style", "lifted"), [("fill: #0072b2; fill-opacity: 0.5", True), ("fill: #0072b2; opacity: 0.5", False)]
)
def test_what_lies_upon_each_other_keeps_its_own_opacity(style: str, lifted: bool) -> None:
    group = ET.Element(f"{SVG}g", {"clip-path": "url(#a)"})
    group.extend(ET.Element(f"{SVG}use", {"x": str(place), "style": style}) for place in range(3))
    root = ET.Element(f"{SVG}svg")
    root.append(group)
    shorten(root)
    assert ("style" in group.attrib) == lifted
    assert all(("style" in use.attrib) != lifted for use in group)


def test_no_group_says_nothing_and_no_text_is_turned_by_nothing() -> None:
    root = ET.fromstring(to_svg(drawn()))
    assert any(not group.attrib for group in root.iter(f"{SVG}g"))
    shorten(root)
    assert all(group.attrib and len(group) for group in root.iter(f"{SVG}g"))
    assert not [text for text in root.iter(f"{SVG}text") if "rotate(-0" in text.get("transform", "")]
