"""That the documentation holds together: links, anchors, the site's navigation, Markdown that all read alike.

`make docs` makes the site, where MkDocs refuses what leads nowhere. Here is the rest, without installing it,
and what it cannot know: how GitHub names headings.
"""

import re
from itertools import pairwise
from typing import Any

import pytest
import yaml

from . import pages

REPOSITORY = pages.DOCS.parent


class Configuration(yaml.SafeLoader):
    """Of MkDocs, whose tags stand for objects of its own."""


Configuration.add_multi_constructor("", lambda *_: None)


@pytest.fixture(scope="module")
def site() -> Any:
    return yaml.load((REPOSITORY / "mkdocs.yml").read_text(), Configuration)


@pytest.mark.parametrize("name", pages.names())
def test_every_link_leads_somewhere(name: str) -> None:
    for link in pages.links(name):
        target = (pages.DOCS / link.path).resolve() if link.path else pages.DOCS / name
        assert target.is_relative_to(REPOSITORY), link
        assert target.exists(), link
        if link.anchor:
            assert link.anchor in pages.anchors(target), link


@pytest.mark.parametrize("name", pages.names())
def test_no_two_headings_of_a_page_have_one_name(name: str) -> None:
    found = pages.anchors(pages.DOCS / name)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", pages.names())
def test_lists_and_tables_begin_after_an_empty_line(name: str) -> None:
    """What GitHub takes for a list all the same, MkDocs takes for text."""
    lines = pages.prose(name).split("\n")
    for before, line in pairwise(lines):
        for block in (r"([-*]|\d+\.) ", r"\|"):
            if re.match(block, line) and before.strip():
                assert re.match(rf"{block}|  ", before), f"{before}\n{line}"


def test_the_site_shows_every_page_once(site: Any) -> None:
    shown = [page for entry in site["nav"] for page in entry.values()]
    assert sorted(shown) == pages.names()
    assert shown[0] == "index.md"


def test_every_page_begins_with_its_title() -> None:
    for name in pages.names():
        assert pages.text(name).startswith("# ")
        assert len(re.findall(r"^# ", pages.prose(name), re.MULTILINE)) == 1
