import csv
import dataclasses
import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from matplotlib.figure import Figure

from analysis.charts.grid import Caption, make_grid, shape_for
from analysis.charts.style import to_svg
from analysis.report.drawing import Drawing
from analysis.report.inline_svg import colour_variables, inline_svg
from analysis.report.looks import Looks
from analysis.report.needs import Sources
from analysis.report.pages import MEANS_SHAKY, compose, render_page, templates
from analysis.report.reach import Condition
from analysis.report.sections import sections
from analysis.report.table import Column, Row, Table, Value, to_csv, to_markdown, write_files
from analysis.trials.derive import derive
from results.store import Campaign
from tests.analysis.synthetic import Truth

TABLE = Table(
    "few",
    "A caption",
    [Column("fast", "Up to"), Column("keeps", "Up to"), Column("why", numeric=False)],
    [Row("a", "x", [Value("> 5", "of 7", 5.0), Value("6"), Value('say "a|b",\nc')])],
)


def test_a_table_is_the_same_in_its_files(tmp_path: Path) -> None:
    assert list(csv.reader(io.StringIO(to_csv(TABLE)))) == [
        ["strategy", "Up to fast", "Up to keeps", "why"],
        ["a/x", "> 5 (of 7)", "6", 'say "a|b",\nc'],
    ]
    caption, _, heads, rule, row = to_markdown(TABLE).strip().split("\n")
    assert caption == "A caption"
    assert heads == "| strategy | Up to fast | Up to keeps | why |"
    assert rule == "| --- | ---: | ---: | --- |"
    assert row == '| a/x | > 5 (of 7) | 6 | say "a\\|b", c |'
    write_files([TABLE], tmp_path / "tables")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["few.csv", "few.md"]


@pytest.mark.parametrize(
    ("value", "order"),
    [
        (Value("256", sort=256.0), ""),
        (Value("256", "of 7", sort=256.0), "256"),
        (Value("1,000", sort=1000.0), "1000"),
        (Value("12 ms", sort=12.2783991), "12.2784"),
        (Value("none"), ""),
    ],
)
def test_a_cell_says_its_order_only_where_its_text_does_not(value: Value, order: str) -> None:
    assert value.order == order


def test_a_heading_within_a_style_stays_a_text() -> None:
    assert str(templates().filters["css"]('a "b"\\ </style>é')) == (r'"a \22 b\22 \5c  \3c /style\3e é"')


def test_headings_that_neighbours_share_are_printed_once() -> None:
    assert TABLE.groups == [("Up to", 2), ("", 1)]


def drawn(ink: str = "#222222") -> Figure:
    figure, (ax,) = make_grid(1, shape_for(1), Caption("A title", "beneath", "one line & <another> " * 12))
    ax.plot([1, 2], [1, 2], color="#E69F00", marker="o")
    ax.text(1, 1, "named", color=ink)
    return figure


def test_a_chart_on_a_page_is_text_and_lines_and_half_as_long() -> None:
    svg = to_svg(drawn())
    root = ET.fromstring(inline_svg(svg, "what it shows", Looks()))
    texts = ["".join(text.itertext()) for text in root.iter() if text.tag.endswith("text")]
    assert {"A title", "beneath", "named"} < set(texts)
    assert sum("one line & <another>" in text for text in texts) > 1, "each line of the caption"
    assert root.attrib == {"viewBox": root.get("viewBox"), "role": "img", "aria-label": "what it shows"}
    assert len(inline_svg(svg, "", Looks())) < len(svg) / 2
    places = {use.get("href") for use in root.iter("use")}
    assert places
    assert places <= {f"#{element.get('id')}" for element in root.iter()}


def test_charts_on_one_page_do_not_share_references() -> None:
    looks = Looks()
    one, other = (ET.fromstring(inline_svg(to_svg(drawn()), "", looks)) for _ in range(2))
    ids = [{element.get("id") for element in root.iter()} - {None} for root in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_charts_on_one_page_say_each_look_once() -> None:
    looks = Looks()
    used = set(re.findall(r'class="(\w+)"', inline_svg(to_svg(drawn()), "", looks)))
    before = str(looks.rules)
    assert used == set(re.findall(r"\.(s\d+) {", before))
    again = inline_svg(to_svg(drawn()), "", looks)
    assert set(re.findall(r'class="(\w+)"', again)) == used
    assert str(looks.rules) == before
    assert "style" not in again


def test_colours_of_a_chart_are_those_of_the_page() -> None:
    looks = Looks()
    inline_svg(to_svg(drawn()), "", looks)
    used = set(re.findall(r"var\((--c[0-9a-f]{6}), #", looks.rules))
    assert {"--cffffff", "--c222222", "--ce69f00"} <= used
    assert all(f"{name}: #" in colour_variables() for name in used)


def test_a_chart_with_a_colour_that_has_no_dark_one_keeps_all_of_its_own() -> None:
    looks = Looks()
    inline_svg(to_svg(drawn("#123456")), "", looks)
    assert "fill: #123456" in looks.rules
    assert "var(" not in looks.rules


def drawing(name: str, svg: bytes = b"<svg/>", *, first: bool = False) -> Drawing:
    return Drawing(name, Caption(name, "", ""), svg, first)


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (["frontier-a", "reach-a", "blocking-a", "reach-b"], ["reach-a", "reach-b"]),
        (["latency-a", "frontier-a"], ["frontier-a"]),
        (["latency-a"], []),
    ],
)
def test_the_chart_that_answers_stands_first(
    names: list[str], first: list[str], small: tuple[Campaign, dict[str, Truth]]
) -> None:
    page = compose(derive(small[0].folder), [drawing(name) for name in names], [])
    assert [each.name for each in page.first] == first
    shown = [each.name for section in page.sections for each in (*section.shown, *section.folded)]
    assert sorted([*first, *shown, *(each.name for each in page.others)]) == sorted(names)


def test_a_section_shows_the_chart_of_the_condition_told_first(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    derived = derive(small[0].folder)
    names = (
        "blocking-sleep-10ms-one-box",
        "blocking-sleep-50ms-one-box",
        "latency-sleep-50ms-one-box",
        "odd",
    )
    told = Condition("sleep", 50.0, "one-box")
    sources = Sources(derived.manifest, derived.summary, derived.points, {})
    made, left = sections(sources, told, [drawing(name) for name in names])
    blocks = next(section for section in made if section.anchor == "blocks")
    assert [each.name for each in blocks.shown] == ["blocking-sleep-50ms-one-box"]
    assert [each.name for each in blocks.folded] == [names[0], names[2]]
    assert [each.name for each in left] == ["odd"]
    assert "lost" not in {section.anchor for section in made}, "no drill of these subjects was published"


def test_a_question_that_nothing_answers_gets_no_section(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    derived = derive(small[0].folder)
    sources = Sources(derived.manifest, derived.summary, derived.points, {})
    made, left = sections(sources, Condition("sleep", 50.0, "one-box"), [drawing("burst", b"")])
    assert "bursts" not in {section.anchor for section in made}
    assert [each.name for each in left] == ["burst"]


def test_a_sentence_marks_code_and_explains_what_is_shaky() -> None:
    prose = templates().filters["prose"]
    shown = str(prose("`def` & ~300/s <b>"))
    assert shown == f'<code>def</code> &amp; <abbr title="{MEANS_SHAKY}">~</abbr>300/s &lt;b&gt;'


def test_what_stands_in_backticks_is_code_and_an_odd_one_stays() -> None:
    code = templates().filters["code"]
    assert str(code("`slots` of ~5 & `more")) == "<code>slots</code> of ~5 &amp; `more"


def test_no_backtick_is_shown_on_a_page(small: tuple[Campaign, dict[str, Truth]]) -> None:
    derived = derive(small[0].folder)
    subjects = [
        msgspec.structs.replace(each, summary="`slots` <threads>") for each in derived.manifest.subjects
    ]
    manifest = msgspec.structs.replace(derived.manifest, subjects=subjects)
    page = render_page(dataclasses.replace(derived, manifest=manifest), [], [])
    assert page.count("<code>slots</code> &lt;threads&gt;") == 2 * len(subjects)
    assert "`" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_the_script_explains_what_is_shaky_in_the_same_words() -> None:
    assert f'"{MEANS_SHAKY}"' in templates().get_template("script.js").render()
