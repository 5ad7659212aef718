"""Charts of more subjects than one pair of axes can hold."""

from pathlib import Path

import numpy as np
import pytest

from analysis.charts.catalogue import catalogue
from analysis.charts.crowd import TOGETHER, crowded
from analysis.charts.style import COLOURS
from analysis.order import FAMILIES, STRATEGIES, family
from analysis.trials.derive import Derived, derive
from tests.analysis.synthetic import Cell, build

NAMED = STRATEGIES[: TOGETHER - 1]
RATES = (20.0, 40.0)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """Eleven strategies at two rates and three durations, the last of them in three variants."""
    subjects = [(name, "default") for name in NAMED] + [(NAMED[-1], each) for each in ("tuned", "durable")]
    cells = [Cell(s, [(r, 1, d)], v) for s, v in subjects for r in RATES for d in (10.0, 20.0, 50.0)]
    return derive(build(tmp_path_factory.mktemp("runs") / "many", cells)[0].folder)


def test_each_strategy_has_a_panel_with_its_variants_before_all_others(many: Derived) -> None:
    assert crowded(many.points)
    (chart,) = (each for each in catalogue(many) if each.name == "blocking-sleep-20ms-one-box")
    assert chart.draw
    axes = chart.draw().axes
    assert [ax.texts[0].get_text() for ax in axes] == list(NAMED)
    assert [ax.texts[1].get_text() for ax in axes] == [family(name) for name in NAMED]
    written = {text.get_text() for text in axes[-1].texts}
    assert {"default", "tuned", "durable"} <= written
    (pale,) = (line for line in axes[0].lines if line.get_label() == "others")
    drawn = np.asarray(pale.get_xdata(), float)
    assert np.isnan(drawn).sum() == len(NAMED) - 1 + 2, "each of the other subjects is a piece of its own"
    assert set(drawn[~np.isnan(drawn)]) == set(RATES)


def test_each_question_of_many_begins_a_row_of_its_own(many: Derived) -> None:
    (chart,) = (each for each in catalogue(many) if each.name.startswith("frontier"))
    assert chart.draw
    axes = chart.draw().axes
    assert len(axes) == 2 * len(NAMED)
    first, second = axes[0].get_position(), axes[len(NAMED)].get_position()
    assert first.x0 == pytest.approx(second.x0)
    assert first.y0 > second.y0


def test_every_strategy_has_a_family_and_a_colour_of_its_own() -> None:
    shipped = {path.stem for path in (Path(__file__).parents[2] / "targets" / "strategies").iterdir()}
    assert set(STRATEGIES) == set(COLOURS) == {name for name in shipped if not name.startswith("_")}
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert {family(name) for name in STRATEGIES} == set(FAMILIES)
    assert family("someone_elses") == ""
