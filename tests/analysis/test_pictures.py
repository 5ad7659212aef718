"""What README and docs show of published campaigns is what follows from them."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.report import pictures
from analysis.report.figures import PAGES, write_pages
from analysis.trials.derive import Derived
from results.errors import BlockpointError
from tests.analysis.seen import alike

SHOWN = sorted({path for page in PAGES for path in pictures.shown_in(page.read_text())})
REACH = pictures.IMAGES / "split" / "reach-sleep-split.png"
OF_DRILLS = pictures.IMAGES / "drills" / "matrix.png"
"""takes a minute to derive, and is held by `test_published_drills`"""


@pytest.mark.parametrize(
    "path", [each for each in SHOWN if each != OF_DRILLS], ids=lambda path: path.parent.name
)
def test_a_picture_follows_from_the_published_campaigns(path: Path) -> None:
    assert alike(path.read_bytes(), pictures.picture(path))


def test_every_picture_is_shown_and_every_image_of_a_page_is_such_a_picture() -> None:
    assert sorted(pictures.IMAGES.rglob("*.png")) == SHOWN
    assert sum(page.read_text().count("![") for page in PAGES) == sum(
        len(pictures.shown_in(page.read_text())) for page in PAGES
    )


def test_a_picture_of_other_numbers_is_told_from_this_one() -> None:
    tables = pictures.tables("split")
    assert isinstance(tables, Derived)
    moved = tables.points.assign(held_per_s=tables.points["held_per_s"] * 0.99)
    other = replace(tables)
    other.__dict__["points"] = moved
    assert not alike(REACH.read_bytes(), pictures.drawn(other, "reach-sleep-split"))


def test_only_campaigns_of_equal_conditions_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pictures.JOINED, "both", ("pool-of-40", "split"))
    with pytest.raises(BlockpointError, match="split: of other conditions than pool-of-40"):
        pictures.tables("both")


@pytest.mark.parametrize("name", pictures.JOINED)
def test_joined_campaigns_are_judged_each_by_its_own(name: str) -> None:
    joined, *own = (pictures.tables(each) for each in (name, *pictures.JOINED[name]))
    assert isinstance(joined, Derived)
    told = ["strategy", "variant", "duration_ms", "question", "held_per_s", "failed_per_s", "ending"]
    answers = [
        row for each in own if isinstance(each, Derived) for row in each.points[told].to_numpy().tolist()
    ]
    assert list(map(str, joined.points[told].to_numpy().tolist())) == list(map(str, answers))


def test_an_unknown_picture_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("![a chart](images/split/no-such.png)\n")
    assert write_pages([str(page)]) == 1
    assert capsys.readouterr().err == "split has no chart 'no-such'\n"
