import json
import re
from pathlib import Path

import pytest

from tests.analysis.browser import Tab, in_a_browser

pytestmark = in_a_browser
SEEN = """JSON.stringify({
  charts: [...document.querySelectorAll('figure svg')].map(svg => [svg.getAttribute('role'),
    svg.getAttribute('aria-label').length > 20, svg.querySelectorAll('text').length > 5]),
  open: [...document.querySelectorAll('figure svg')].filter(svg => svg.checkVisibility()).length,
  ids: [...document.querySelectorAll('[id]')].map(element => element.id),
  anchors: [...document.querySelectorAll('a[href^="#"]')].map(link => link.getAttribute('href').slice(1)),
  unnamed: [...document.querySelectorAll('input, button, [tabindex="0"], section')].filter(each => !(
    each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') || each.textContent.trim()
    || each.closest('label'))).length,
  headless: [...document.querySelectorAll('main th')].filter(head => !head.scope).length,
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  requests: performance.getEntriesByType('resource')
    .map(entry => entry.name).filter(name => !name.startsWith('data:')),
})"""


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_the_page_opens_without_an_error_and_with_every_chart(
    page: Path, tab: Tab, width: int, scheme: str
) -> None:
    tab.open(page.as_uri(), width, scheme)
    seen = json.loads(tab.says(SEEN))
    assert len(seen["charts"]) == 9
    assert all(role == "img" and named and written for role, named, written in seen["charts"])
    assert 1 < seen["open"] < 9
    assert not seen["wide"]
    assert len(seen["ids"]) == len(set(seen["ids"]))
    assert seen["anchors"]
    assert set(seen["anchors"]) <= set(seen["ids"])
    assert seen["unnamed"] == seen["headless"] == 0
    assert seen["requests"] == []
    assert tab.complaints() == []


NEEDS = "[...document.querySelectorAll('#needs tbody tr')]"
NAMES = f"{NEEDS}.filter(row => !row.hidden).map(row => row.cells[0].innerText.split('\\n')[0]).join()"


def test_rows_are_sorted_and_filtered(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    assert tab.says(NAMES) == "background_tasks,celery"
    tab.says("document.querySelector('#needs thead tr:last-child th:nth-child(2) button').focus()")
    tab.press("Enter")
    assert tab.says(NAMES) == "background_tasks,celery"
    assert tab.says("document.activeElement.parentElement.getAttribute('aria-sort')") == "ascending"
    tab.press("Enter")
    assert tab.says(NAMES) == "celery,background_tasks"
    assert tab.says("document.querySelectorAll('#needs [aria-sort]').length") == 1
    tab.says("document.querySelector('#needs caption input').focus()")
    tab.call("Input.insertText", text="TUNED cel")
    assert tab.says(NAMES) == "celery"
    assert tab.complaints() == []


@pytest.mark.parametrize(("width", "told"), [(390, '"API stays fast up to 50 ms"'), (1200, "none")])
def test_a_cell_names_its_column_where_the_headings_have_no_room(
    page: Path, tab: Tab, width: int, told: str
) -> None:
    tab.open(page.as_uri(), width)
    assert tab.says(f"getComputedStyle({NEEDS}[0].cells[1], '::before').content") == told


BLOCKED = f"{NEEDS}[0].cells[1].innerText"
TOLD = "document.querySelector('#sentences').innerText"
JUDGED = "document.querySelector('#judged').innerText"


def test_the_limit_moves_points_and_sentences_and_leaves_the_rest(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    others = f"{NEEDS}.map(row => [...row.cells].slice(-4).map(cell => cell.innerText).join()).join()"
    before = [tab.says(each) for each in (BLOCKED, TOLD, others)]
    assert tab.says(JUDGED) == ""
    tab.says("document.querySelector('#limits [value=\"25\"]').click()")
    assert "judged at 25 ms" in tab.says(JUDGED)
    assert "limit 25 ms" in tab.says("document.querySelector('#needs caption').innerText")
    strict = [tab.says(each) for each in (BLOCKED, TOLD, others)]
    assert strict[0] != before[0]
    assert strict[1] != before[1]
    assert strict[2] == before[2]
    assert tab.says("location.hash") == "#limit=25"
    tab.says("document.querySelector('#limits [value=\"100\"]').click()")
    assert [tab.says(each) for each in (BLOCKED, TOLD, others)] == before
    tab.open(f"{page.as_uri()}?again#limit=25")
    assert tab.says(BLOCKED) == strict[0]
    assert tab.says("document.querySelector('#limits :checked').value") == "25"
    assert tab.complaints() == []


TIP = "document.querySelector('#tip').innerText"
CURVES = "document.querySelector('figure[id^=blocking]')"
MARKS = f"[...{CURVES}.querySelectorAll('use[data-told]')]"


def test_a_mark_tells_its_values_where_one_points_at_it(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    mark = f"{MARKS}.find(mark => mark.dataset.told.includes('celery/tuned at 60/s'))"
    tab.point_at(mark)
    assert "celery/tuned at 60/s: p99 of the worse of /ping and /ping-sync" in tab.says(TIP)
    assert tab.says(f"{mark}.classList.contains('asked')")
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert tab.says(TIP) == ""
    row = "document.querySelector('figure[id^=reach] [data-subject=\"celery/tuned\"][data-told]')"
    tab.point_at(row)
    assert tab.says(TIP).startswith("celery/tuned, tasks of 50 ms: the API blocks")
    assert tab.complaints() == []


def test_the_arrow_keys_go_from_mark_to_mark_and_from_subject_to_subject(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    tab.says(f"{CURVES}.querySelector('.scroll').focus()")
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        tab.arrow(key)
        seen.append(tab.says(TIP).split(":")[0])
    assert seen == [
        "background_tasks/default at 20/s",
        "background_tasks/default at 60/s",
        "celery/tuned at 20/s",
        "background_tasks/default at 120/s",
        "background_tasks/default at 120/s",
    ]
    assert tab.says("document.querySelectorAll('.asked').length") == 1
    tab.arrow("Escape")
    assert tab.says(TIP) == ""
    assert tab.complaints() == []


CHIP = "{}.querySelector('.chips [value=\"celery/tuned\"]')"
PRESSED = f"{CHIP}.getAttribute('aria-pressed')"
DRAWN = "[...document.querySelectorAll('figure [data-subject=\"{}\"]')]"
SHOWN = f"{DRAWN}.filter(each => each.getClientRects().length).length"
REACH = "document.querySelector('figure[id^=reach]')"


def test_a_subject_is_switched_off_in_every_chart_and_the_address_keeps_it(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    tab.says("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    theirs, ours = SHOWN.format("background_tasks/default"), SHOWN.format("celery/tuned")
    before = tab.says(theirs)
    assert tab.says(ours) > 10
    tab.says(f"{CHIP.format(REACH)}.focus()")
    tab.press("Enter")
    assert tab.says(PRESSED.format(REACH)) == tab.says(PRESSED.format(CURVES)) == "false"
    assert tab.says(ours) == 0
    assert tab.says(theirs) == before
    tab.says("document.querySelector('#limits [value=\"25\"]').click()")
    assert tab.says("location.hash") == "#hide=celery/tuned&limit=25"
    tab.open(f"{page.as_uri()}?again#hide=celery/tuned&limit=25")
    assert tab.says(PRESSED.format(CURVES)) == "false"
    assert "judged at 25 ms" in tab.says(JUDGED)
    tab.says(f"{REACH}.querySelector('.chips .all').click()")
    assert tab.says(PRESSED.format(CURVES)) == "true"
    assert tab.says("location.hash") == "#limit=25"
    assert tab.complaints() == []


def test_the_calculator_tells_slots_and_who_carries_a_rate(page: Path, tab: Tab) -> None:
    tab.open(f"{page.as_uri()}#rate=50&of=50")
    needed, carrying, others = (
        f"document.querySelector('#{name}').innerText" for name in ("needed", "carrying", "others")
    )
    assert tab.says(needed).startswith("50/s of 50 ms keep 2.5 slots in use; take 4 slots.")
    assert "background_tasks/default" in tab.says(carrying)
    assert "Of those that lost no task with a killed web process: celery/tuned" in tab.says(
        "document.querySelector('#advice').innerText"
    )
    tab.says("document.querySelector('#rate').focus()")
    tab.says("document.querySelector('#rate').select()")
    tab.call("Input.insertText", text="150")
    assert tab.says("location.hash") == "#rate=150&of=50"
    assert "take 10 slots" in tab.says(needed)
    assert "background_tasks/default: the API blocks at ~120/s, 99 of 100 requests" in tab.says(others)
    assert (
        "celery/tuned: the work falls behind at 120/s, it takes 3 workers of 4 slots by the law"
        in tab.says(others)
    )
    moved = "addEventListener('hashchange', () => done(0)); location.hash = '#rate=90&of=50'"
    tab.says(f"new Promise(done => {{ {moved} }})")
    assert "celery/tuned: held at 60/s, gave way at 120/s" in tab.says(others)
    assert tab.complaints() == []


def test_the_calculator_judges_by_the_limit_that_is_chosen(page: Path, tab: Tab) -> None:
    tab.open(f"{page.as_uri()}#rate=90&of=50")
    others = "document.querySelector('#others').innerText"
    own = tab.says(others)
    assert "background_tasks/default: held at 60/s, gave way at 120/s" in own
    tab.says("document.querySelector('#limits [value=\"25\"]').click()")
    strict = tab.says(others)
    assert "background_tasks/default" in strict
    assert strict != own
    tab.open(f"{page.as_uri()}?again#rate=90&of=50&limit=25")
    assert tab.says(others) == strict
    assert tab.complaints() == []


def test_a_link_unfolds_what_it_leads_to(page: Path, tab: Tab) -> None:
    tab.open(page.as_uri())
    link = f"{NEEDS}[0].querySelector('a[href^=\"#row-\"]')"
    shown = f"document.querySelector({link}.getAttribute('href')).checkVisibility()"
    assert not tab.says(shown)
    tab.says(
        f"new Promise(done => {{ addEventListener('hashchange', done); {link}.click(); }}).then(() => 0)"
    )
    assert tab.says(shown)


def test_without_a_script_the_page_says_the_same(page: Path, tab: Tab) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(page.as_uri())
    tab.call("DOM.enable")
    root = tab.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    html = tab.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    assert '<fieldset id="limits" hidden' in html
    assert html.count('class="chips"') == 1
    assert "<title>celery/tuned at 60/s: p99 of" in html
    assert html.count("<li>") > 5
    assert '<div id="ask" data-busy="0.8" hidden' in html
    assert "<input" not in re.sub(r'<div id="ask".*?</div>', "", html, flags=re.DOTALL)
