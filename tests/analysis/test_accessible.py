"""Pages for who sees little or has no mouse: no rule of axe-core is broken, and focus shows where it is."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.report.build import make_report
from tests.analysis.browser import Tab, in_a_browser
from tests.analysis.gallery_drills import make

FOUND = importlib.util.find_spec("axe_playwright_python")
AXE = Path(FOUND.origin or "").parent / "axe.min.js" if FOUND else None
pytestmark = in_a_browser
with_axe = pytest.mark.skipif(
    AXE is None,
    reason="no axe-core: python -m pip install --no-deps --require-hashes -r tests/analysis/requirements.txt",
)
UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"
ASKED = """axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(
  found.violations.map(({id, nodes}) => [id, nodes.length, nodes[0].html.slice(0, 200)])))"""


def violations(tab: Tab) -> list[list[Any]]:
    assert AXE is not None
    tab.says(UNFOLD)
    tab.says(AXE.read_text())
    return list(json.loads(tab.says(ASKED)))


@with_axe
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (1400, "dark"), (390, "light")])
def test_a_page_of_trials_breaks_no_rule(page: Path, tab: Tab, width: int, scheme: str) -> None:
    tab.open(f"{page.as_uri()}#rate=50&of=50", width, scheme)
    assert violations(tab) == []


@with_axe
def test_a_page_of_drills_breaks_no_rule(tmp_path: Path, tab: Tab) -> None:
    tab.open(make_report(make(tmp_path / "drills", repeats=1).folder).as_uri(), 1400)
    assert violations(tab) == []


@with_axe
def test_a_rule_that_is_broken_is_found(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    tab.says("document.querySelector('#rate').closest('label').replaceWith(document.querySelector('#rate'))")
    assert [name for name, *_ in violations(tab)] == ["label"]


HERE = "document.activeElement"
SEEN = f"(box => box.width > 0 && box.height > 0)({HERE}.getBoundingClientRect())"
OUTLINED = f"getComputedStyle({HERE}).outlineStyle"
AT_THE_TOP = """(box => document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2)
  .includes(document.activeElement))(document.activeElement.getBoundingClientRect())"""


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    tab.arrow("Tab")
    assert tab.says(f"{HERE}.textContent") == "Skip to the answer"
    assert tab.says(AT_THE_TOP), "the link shows itself once it has the focus"
    reached = []
    for _ in range(200):
        tab.arrow("Tab")
        if tab.says(f"{HERE} === document.body"):
            break
        assert tab.says(SEEN), tab.says(f"{HERE}.outerHTML")
        assert tab.says(OUTLINED) != "none", tab.says(f"{HERE}.outerHTML")
        reached.append(tab.says(f"{HERE}.closest('section, header')?.id || 'top'"))
    assert list(dict.fromkeys(reached))[:3] == ["top", "results", "decide"]
    assert {"limit", "rate", "each"} <= {
        *tab.says("[...document.querySelectorAll('input')].map(i => i.name || i.id)")
    }
