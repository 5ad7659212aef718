"""What README and docs print of published campaigns is what follows from them."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.report import figures
from analysis.trials.derive import read_derived
from results.errors import BlockpointError

OPEN, CLOSE = "<!-- figures: {} -->\n\n", "\n<!-- /figures -->"


@pytest.mark.parametrize("page", figures.PAGES, ids=lambda page: page.name)
def test_the_tables_of_a_page_follow_from_the_published_campaigns(page: Path) -> None:
    """The drills' matrix, which takes a minute to derive, is held by `test_published_drills`."""
    text = page.read_text().replace("figures: drills matrix", "figures of drills")
    assert figures.filled(text) == text


def test_a_table_is_made_of_its_campaign_and_the_rest_is_left_alone() -> None:
    page = f"before\n{OPEN.format('pool-of-40 points')}old\n{CLOSE}\nafter\n"
    made = figures.filled(page)
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "| `background_tasks/default` | " in made
    assert "old" not in made
    assert figures.filled(made) == made


def test_an_empty_table_is_filled_and_nothing_beyond_it_is_lost() -> None:
    empty = OPEN.format("pool-of-40 points").rstrip() + "\n\n" + CLOSE.lstrip()
    made = figures.filled(f"{empty}\n\nbetween\n\n{OPEN.format('split points')}old\n{CLOSE}")
    assert made.count("\nbetween\n") == 1
    assert "| `background_tasks/default` | " in made.partition("between")[0]
    assert "| `arq/tuned` | " in made.partition("between")[2]
    assert figures.filled(made) == made


def test_under_several_topologies_a_row_is_a_subject_with_one_kind_of_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are in it: one topology's answers do not stand for the other's."""
    box, split = (read_derived(figures.PUBLISHED / name) for name in ("computing", "computing-split"))
    both = pd.concat([box.points, split.points], ignore_index=True)
    monkeypatch.setattr(figures, "read_derived", lambda _: SimpleNamespace(points=both))
    page = figures.filled(f"{OPEN.format('computing points')}old\n{CLOSE}")
    heads, _, *rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    assert [each.strip().partition(":")[0] for each in heads] == [
        "strategy",
        "tasks",
        *["one-box"] * 2,
        *["split"] * 2,
    ]
    asked = {(row[0].strip(), row[1].strip()) for row in rows}
    assert len(asked) == len(rows) == 4 * 4
    twice = [row for row in rows if row[4].strip()]
    assert {row[0].strip() for row in twice} == {"`celery/tuned`"}
    assert len(twice) == 4
    assert any(row[2] != row[4] for row in twice)


def test_an_unknown_table_is_one_clear_line() -> None:
    with pytest.raises(
        BlockpointError, match="no table 'pints': there are points, matrix, and a strategy's name"
    ):
        figures.filled(f"{OPEN.format('pool-of-40 pints')}{CLOSE}")
