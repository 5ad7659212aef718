"""That docs/formats.md names the columns, types and numbers that the tables have."""

import re
from enum import IntEnum

import pytest

from results.columns import TABLES
from results.terms import Look, Moment, Outcome, Stream

from . import pages

PAGE = pages.text("formats.md")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| .+ \|$", re.MULTILINE)
WORDS: dict[str, type[IntEnum]] = {"outcome": Outcome, "stream": Stream, "moment": Moment, "look": Look}


@pytest.mark.parametrize("name", TABLES)
def test_it_shows_the_columns_of_every_table(name: str) -> None:
    _, section = PAGE.split(f"\n### {name}\n")
    assert dict(ROW.findall(re.split(r"^##", section, flags=re.MULTILINE)[0])) == TABLES[name]


@pytest.mark.parametrize("column", WORDS)
def test_it_says_what_numbers_stand_for(column: str) -> None:
    (told,) = re.findall(rf"^\| `{column}` \| (\d.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"(?:^|, )(\d+) (\w+)", told) == [
        (str(each.value), each.name.lower()) for each in WORDS[column]
    ]


def test_what_it_tells_of_derived_columns_exists(summary_columns: set[str], point_columns: set[str]) -> None:
    summary, points = PAGE.split("**`summary.csv`**")[1].split("**`points.csv`**")
    assert named(summary.split("theory predicts")[0]) | cells(summary) <= summary_columns
    assert cells(points) <= point_columns


def named(text: str) -> set[str]:
    return {name for name in re.findall(r"`(\w+)`", text) if not name.startswith("_")}


def cells(text: str) -> set[str]:
    return {name for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in named(cell)}
