from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from analysis.charts.blocking import latency_of_all
from analysis.charts.catalogue import catalogue
from analysis.charts.grid import Caption, make_grid, shape_for
from analysis.charts.style import to_svg
from analysis.charts.tags import read_tag, tag
from analysis.report.inline_svg import inline_svg
from analysis.report.looks import Looks
from analysis.trials.derive import Derived, read_derived
from analysis.trials.points import at_rates
from results.store import Campaign
from tests.analysis.synthetic import Truth

NAME = "someone's <b>/50% & more?"
TOLD = ["1/s: < 5 ms", "2/s: “a & b”", "3/s: a=b"]


@pytest.fixture(scope="module")
def derived(small: tuple[Campaign, dict[str, Truth]]) -> Derived:
    return read_derived(small[0].folder)


def tagged() -> Figure:
    figure, (ax,) = make_grid(1, shape_for(1), Caption("A title", "", ""))
    (points,) = ax.plot([1, 2, 3], [1, 2, 3], marker="o", linestyle="none", color="#0072B2")
    tag(points, NAME, TOLD)
    for height in (1, 2):
        cover = ax.add_patch(Polygon([(1, height), (2, height), (2, 3)], fill=False, linewidth=0))
        tag(cover, NAME, [f"whole {height}"])
    return figure


def owned(svg: bytes) -> dict[str, list[str]]:
    """Return by subject what a chart on a page tells."""
    found: dict[str, list[str]] = {}
    for group in ET.fromstring(inline_svg(svg, "what it shows", Looks())).iter():
        if subject := group.get("data-subject"):
            titles = (title.text or "" for title in group.iter() if title.tag.endswith("title"))
            found.setdefault(subject, []).extend(titles)
    return found


def test_each_point_of_a_line_tells_its_own_and_a_shape_tells_one_thing() -> None:
    (subject,) = found = owned(to_svg(tagged()))
    assert subject == NAME
    assert sorted(found[NAME]) == sorted([*TOLD, "whole 1", "whole 2"])


def test_a_file_holds_tags_and_no_id_twice() -> None:
    root = ET.fromstring(to_svg(tagged()))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    read = [read_tag(value) for element in root.iter() if (value := element.get("data-tag"))]
    assert (NAME, TOLD) in read


def test_the_curves_tell_of_each_subject_its_rates(derived: Derived) -> None:
    rows = at_rates(derived.summary)
    svg = to_svg(latency_of_all(rows, derived.predictions, Caption("", "", "")))
    found = owned(svg)
    assert set(found) == {"background_tasks/default", "celery/tuned"}
    told = " ".join(found["background_tasks/default"])
    assert "at 60/s: p99 of the worse of /ping and /ping-sync" in told
    assert "at 120/s: p99 of accepting a task" in told
    assert "/s completed" in told
    assert "above 100 ms" in told
    assert "at 240/s" not in told, "that trial is invalid"
    assert "above" not in " ".join(found["celery/tuned"])


def test_a_row_of_the_reach_tells_both_points_and_what_was_tried(derived: Derived) -> None:
    (chart,) = (each for each in catalogue(derived) if each.name.startswith("reach"))
    assert chart.draw is not None
    (told,) = owned(to_svg(chart.draw()))["background_tasks/default"]
    assert told.startswith("background_tasks/default, tasks of 50 ms: the API blocks: ")
    assert "60 to 120/s; the work falls behind: " in told
    assert told.endswith("tried at 20 to 120/s")
