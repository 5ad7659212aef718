"""The pages of the documentation, read as GitHub reads them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
CODE = re.compile(r"^```.*?^```$|(?<=\n\n)(?:    .*\n|\n)+|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Link:
    """A link that leads to a file of the repository, or to a heading of the page itself."""

    page: str
    path: str
    anchor: str


def names() -> list[str]:
    return sorted(page.name for page in DOCS.glob("*.md"))


@cache
def text(name: str) -> str:
    return (DOCS / name).read_text()


@cache
def prose(name: str) -> str:
    """Return a page without its code, whose place is left empty."""
    return CODE.sub(lambda code: "\n" * code[0].count("\n"), text(name))


def links(name: str) -> list[Link]:
    return [Link(name, found["path"], found["anchor"] or "") for found in LINK.finditer(prose(name))]


def anchors(page: Path) -> list[str]:
    """Return what GitHub calls the headings of a page: no markup, lower case, hyphens for blanks."""
    without_code = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(without_code)
    ]
