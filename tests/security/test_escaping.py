"""Names and labels that come with a campaign stay text: on the page, in its charts and in a terminal."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import jinja2
import msgspec
import pytest
from rich.console import Console

from analysis.charts.style import to_png
from analysis.report import build as report
from analysis.report import pages as page_module
from analysis.report.build import draw_all, make_report
from analysis.report.drawing import Drawing
from analysis.report.pages import render_page
from analysis.trials.derive import derive
from harness.campaign.progress import Progress
from results.errors import BlockpointError
from results.schema import Service
from results.text import visible
from tests.analysis.synthetic import Cell, amend, build

SHOUTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<svg onload=alert(1)>",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "</style></title></dl><base href=//elsewhere>",
    "--><iframe src=//elsewhere>]]>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b]0;title\x07\x9b2J\r\n\u202egnp.exe",
    "$\\frac{$ costs $5 and $6",
)
EVIL = " ".join(SHOUTS)
NAME = "<script>x'\"&\x1b[31m<img src=x onerror=alert(1)>$\\frac{$"
VARIANT = "\"'><svg onload=x>\n$5"
"""These two become parts of file names and of `strategy/variant`: without a slash, and short."""
LOADING = {"src", "href", "srcset", "action", "formaction", "data", "poster", "xlink:href", "background"}
ACTIVE = {"iframe", "object", "embed", "base", "form", "math", "foreignobject", "template"}
OWN_SCRIPT = page_module.templates().get_template("script.js").render().strip()
HARMLESS = re.compile(r"#[\w-]*|data:,|(charts|notebooks|tables)/[\w-]+\.\w+")
DRAWN = {
    "svg",
    "g",
    "defs",
    "style",
    "path",
    "use",
    "clipPath",
    "rect",
    "image",
    "pattern",
    "text",
    "metadata",
}
DESCRIBED = {"RDF", "Work", "format", "type", "title"}
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Markup(HTMLParser):
    """The tags of a page with the names of their attributes, and what in them could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self.live: list[str] = []
        self.feed(text)
        self.close()

    def handle_data(self, data: str) -> None:
        """The page's own script acts, and so it may; what it reads are data, whatever they say."""
        if self.lasttag != "script" or not data.strip() or self.live[-1:] != ["script"]:
            return
        if data.strip() == OWN_SCRIPT or is_json(data):
            self.live.pop()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        if tag in ACTIVE or (tag == "meta" and dict(attrs).get("http-equiv")):
            self.live.append(tag)
        if tag == "script":
            self.live.append("script")
        for name, value in attrs:
            if name.startswith("on") or (name in LOADING and not HARMLESS.fullmatch(value or "")):
                self.live.append(f"{tag} {name}={value}")
            if name == "style" and not re.fullmatch(r"background: #[0-9A-Fa-f]{6}", value or ""):
                self.live.append(f"{tag} style={value}")


def is_json(data: str) -> bool:
    try:
        return isinstance(json.loads(data), list)
    except ValueError:
        return False


def campaign(folder: Path, name: str, variant: str, words: str) -> Path:
    """Write a campaign in which everything that can be named is."""
    service = Service(law="pool", slots=4)
    cells = [Cell(name, [(rate, 3, 50)], variant, service, workers=1) for rate in (20, 120)]
    cells += [Cell(name, [(60, 3, 50)], variant, service, reasons=[words, words])]
    made, _ = build(
        folder, cells, host={"cpu_model": words, words: [words]}, python=words, packages={words: words}
    )
    subjects = [
        msgspec.structs.replace(subject, summary=words, settings={words: {words: [words]}})
        for subject in made.manifest.subjects
    ]
    amend(
        made,
        subjects=subjects,
        campaign=words,
        profile=words,
        command=[words, words],
        pinning={words: words},
    )
    return folder


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign(tmp_path_factory.mktemp("evil") / "campaign", NAME, VARIANT, EVIL)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign(tmp_path_factory.mktemp("plain") / "campaign", "name", "variant", "words")


def page(folder: Path, words: str) -> str:
    drawings = [
        Drawing(chart.name, chart.words, b"<svg/>" if chart.draw else b"")
        for chart in report.catalogue(derive(folder))
    ]
    return render_page(derive(folder), drawings, [words])


def test_a_page_of_evil_names_has_the_markup_of_a_page_of_plain_ones(evil: Path, plain: Path) -> None:
    shown, expected = Markup(page(evil, EVIL)), Markup(page(plain, "words"))
    assert len(expected.shape) > 200
    assert shown.shape == expected.shape
    assert shown.live == expected.live == []


def test_a_page_without_escaping_would_be_caught(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(**options: object) -> jinja2.Environment:
        return jinja2.Environment(**{**options, "autoescape": False})  # type: ignore[arg-type]

    class Careless:
        FileSystemLoader, StrictUndefined, Environment = (
            jinja2.FileSystemLoader,
            jinja2.StrictUndefined,
            careless,
        )

    monkeypatch.setattr(page_module, "jinja2", Careless)
    live = Markup(page(evil, EVIL)).live
    assert "script" in live
    assert any("onerror" in found for found in live)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_charts_of_evil_names_are_well_formed_and_inert(evil: Path, tmp_path: Path) -> None:
    drawn = [drawing.svg for drawing in draw_all(derive(evil), tmp_path / "charts") if drawing.svg]
    assert len(drawn) > 2
    for svg in drawn:
        for element in ET.fromstring(svg).iter():
            assert local(element.tag) in DRAWN | DESCRIBED
            for name, value in element.attrib.items():
                assert not local(name).startswith("on")
                if local(name) == "href":
                    assert re.match(r"#|data:image/png;base64,", value) or local(element.tag) == "type"


def local(name: str) -> str:
    return name.rpartition("}")[2]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_dollar_signs_in_a_name_are_no_formula(tmp_path: Path) -> None:
    for number, name in enumerate(("$\\frac{$", "costs $5 and $6")):
        folder = campaign(tmp_path / str(number), name, name, name)
        for chart in report.catalogue(derive(folder)):
            if chart.draw:
                assert to_png(chart.draw())


@pytest.fixture
def lines(evil: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(
        report, "execute_notebooks", lambda *_: [f"the notebook x could not be executed: {EVIL}"]
    )
    monkeypatch.setattr(report, "draw_all", lambda *_: [])
    said: list[str] = []
    make_report(evil, said.append, notebooks=True)
    return said


def test_a_report_says_nothing_that_a_terminal_obeys(lines: list[str]) -> None:
    assert any("[31mred" in line for line in lines)
    assert not [line for line in lines if CONTROLS.search(line)]


def test_no_error_or_result_says_what_a_terminal_obeys() -> None:
    output = io.StringIO()
    Progress(Console(file=output, force_terminal=True, color_system=None), 1, 1).say(EVIL)
    for said in (str(BlockpointError(EVIL)), output.getvalue()):
        assert "\\x1b[31mred" in said
        assert not CONTROLS.search(said)


def test_what_is_not_a_control_character_is_left_alone() -> None:
    assert visible("é ☃ 中\ttab\nline €") == "é ☃ 中\ttab\nline €"
    assert visible("\x1b[0m\x07\x9b\r\u202e") == "\\x1b[0m\\x07\\x9b\\r\\u202e"
