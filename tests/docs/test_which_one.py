"""That docs/which-one.md says what the published campaigns say."""

import re
from functools import cache
from pathlib import Path

import pytest

from analysis.report.decide import decisions
from analysis.report.table import to_markdown
from results.store import open_campaign

from . import pages

PAGE = "which-one.md"
REFERENCE = Path(__file__).parents[2] / "results" / "published" / "quick-reference"
BLOCKS = ("carries", "costs", "survives")
BLOCK = re.compile(r"^<!-- (\w+) -->\n\n(.*?)^\n<!-- end -->$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@cache
def tables() -> dict[str, str]:
    return dict(zip(BLOCKS, map(to_markdown, decisions(REFERENCE)), strict=True))


def shown() -> dict[str, str]:
    return dict(BLOCK.findall(pages.text(PAGE)))


def prose() -> str:
    """Return the page without its tables of figures, code, comments and targets of links."""
    words = BLOCK.sub("", pages.text(PAGE))
    return re.sub(r"\]\([^)]*\)", "]", pages.CODE.sub("", words))


@pytest.mark.parametrize("block", BLOCKS)
def test_its_tables_are_those_of_the_campaigns(block: str) -> None:
    assert shown()[block] == tables()[block]


def test_every_other_number_is_a_setting_that_was_measured() -> None:
    manifest = open_campaign(REFERENCE).manifest
    arq = manifest.subject("arq/default").services["sleep"]
    known = {
        f"{manifest.anyio_tokens} tokens",
        f"{arq.slots} jobs",
        f"every {arq.poll_s:g} s",
    }
    told = prose()
    assert all(fact in " ".join(told.split()) for fact in known)
    numbers = {number for fact in known for number in NUMBER.findall(fact)}
    assert set(NUMBER.findall(told.replace("p99", ""))) == numbers


def test_awaiting_and_blocking_in_coroutines_are_the_best_and_the_worst() -> None:
    """As the first rows of the page and its words on a blocked event loop say."""
    rows = [line.split("|") for line in tables()["carries"].splitlines()[4:]]
    cells = {row[1].strip(): [cell.strip(" ~*") for cell in row[2:-1]] for row in rows}
    assert all(cell.startswith("> ") for cell in cells["background_tasks_async/default"])
    others = [row for name, row in cells.items() if "blocking" not in name and "inline" not in name]
    for place, cell in enumerate(cells["background_tasks_blocking/default"][:3]):
        assert all(upper(cell) < upper(row[place]) for row in others)


def upper(cell: str) -> float:
    """Return the last rate in a cell."""
    return float(NUMBER.findall(cell)[-1].replace(",", ""))
