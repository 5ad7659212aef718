"""What README and docs print of published campaigns is what follows from them."""

from pathlib import Path

import pytest

from analysis.report import figures
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


def test_an_unknown_table_is_one_clear_line() -> None:
    with pytest.raises(
        BlockpointError, match="no table 'pints': there are points, matrix, and a strategy's name"
    ):
        figures.filled(f"{OPEN.format('pool-of-40 pints')}{CLOSE}")
