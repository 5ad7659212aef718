import math
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.charts import Caption, reach
from analysis.charts.catalogue import catalogue
from analysis.trials.derive import Derived, derive
from analysis.trials.ranking import ranked
from analysis.trials.stretches import State, edges_of, stretches, theory_per_s
from results.schema import Service
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=4)
NOTHING = Caption("", "", "")
NAN = math.nan


def rows(
    api: tuple[float, float], work: tuple[float, float], *, shaky: bool = False, predicted: float = NAN
) -> dict[str, dict[str, Any]]:
    """Return a subject's two points, each (held, failed)."""
    told = {"shaky": shaky, "disputed": False, "predicted_per_s": predicted, "ceiling_per_s": 80.0}
    return {
        name: told | {"question": name, "held_per_s": held, "failed_per_s": failed}
        for name, (held, failed) in (("blocking", api), ("saturation", work))
    }


@pytest.mark.parametrize(
    ("api", "work", "found"),
    [
        ((40, 60), (40, 60), [("KEEPS_UP", 10, 40), ("BLOCKED", 60, 90)]),
        ((90, NAN), (40, 60), [("KEEPS_UP", 10, 40), ("BEHIND", 60, 90)]),
        ((70, 80), (40, 60), [("KEEPS_UP", 10, 40), ("BEHIND", 60, 70), ("BLOCKED", 80, 90)]),
        ((20, 30), (60, 80), [("KEEPS_UP", 10, 20), ("BLOCKED", 30, 90)]),
        ((90, NAN), (90, NAN), [("KEEPS_UP", 10, 90)]),
        ((NAN, 10), (90, NAN), [("BLOCKED", 10, 90)]),
        ((NAN, 60), (90, NAN), [("BLOCKED", 60, 90)]),
        ((20, 90), (40, 60), [("KEEPS_UP", 10, 20), ("BLOCKED", 90, 90)]),
        ((10, 30), (10, 30), [("KEEPS_UP", 10, 10), ("BLOCKED", 30, 90)]),
        ((NAN, NAN), (90, NAN), []),
    ],
    ids=[
        "both",
        "behind",
        "three",
        "blocked",
        "all",
        "none",
        "unknown below",
        "wide",
        "lowest",
        "unanswered",
    ],
)
def test_a_row_is_filled_where_its_answer_is_known(
    api: tuple[float, float], work: tuple[float, float], found: list[tuple[str, float, float]]
) -> None:
    made = stretches(rows(api, work), [10, 30, 90])
    assert [(stretch.state.name, stretch.low, stretch.high) for stretch in made] == found


def test_one_rate_is_a_stretch_and_no_rate_is_none() -> None:
    held = rows((90, NAN), (90, NAN))
    assert [(stretch.low, stretch.high) for stretch in stretches(held, [90])] == [(90, 90)]
    assert stretches(held, []) == []


@pytest.mark.parametrize(
    ("api", "work", "told"),
    [
        (((40, 60), {}), (40, 60), ["40", "40"]),
        (((40, 60), {"shaky": True}), (20, 30), ["~20", "~40"]),
        (((90, NAN), {}), (90, NAN), ["> 90", "> 90"]),
        (((NAN, 10), {}), (90, NAN), ["< 10", "> 90"]),
        (((NAN, 10), {"predicted": 0.0}), (90, NAN), ["at any rate", "> 90"]),
        (((NAN, NAN), {}), (NAN, NAN), []),
    ],
)
def test_the_words_at_an_edge_claim_no_more_than_was_seen(
    api: tuple[tuple[float, float], dict[str, Any]], work: tuple[float, float], told: list[str]
) -> None:
    held, more = api
    assert [edge.words for edge in edges_of(rows(held, work, **more))] == told


def test_the_ceiling_stands_in_where_no_search_asked_theory() -> None:
    asked = rows((40, 60), (40, 60))
    assert math.isnan(theory_per_s(asked["blocking"]))
    assert theory_per_s(asked["saturation"]) == 80
    assert math.isnan(theory_per_s(asked["saturation"] | {"predicted_per_s": math.inf}))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """A pool of the API's, one beside it, and one with only invalid trials, at two durations."""
    shared = {"service": POOL, "suffers": ("ping_sync",)}
    cells = []
    for duration, scale in ((50.0, 1.0), (100.0, 0.5)):
        for rate in (10 * scale, 30 * scale, 60 * scale, 120 * scale):
            steps = [(rate, 3.0, duration)]
            cells.append(Cell("background_tasks", steps, **shared))
            cells.append(Cell("celery", steps, service=POOL, workers=1))
            cells.append(Cell("arq", steps, service=POOL, workers=1, reasons=["slip p99 2 ms"]))
    return derive(build(tmp_path_factory.mktemp("runs") / "reach", cells)[0].folder)


def made(measured: Derived, **changes: Any) -> Figure:
    return reach(measured.points.assign(**changes), measured.summary, NOTHING)


def bars(ax: Axes) -> list[tuple[str, float, float]]:
    """Return (state, row, right end) of every bar."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [(str(bar.get_label()), round(bar.get_y()), bar.get_x() + bar.get_width()) for bar in found]


def test_a_duration_has_a_panel_and_a_subject_the_same_row_in_each(measured: Derived) -> None:
    figure = made(measured)
    assert len(figure.axes) == 2
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["celery · default", "background_tasks · default", "arq · default"]
    for ax, top in zip(figure.axes, (120, 60), strict=True):
        assert {(state, row) for state, row, _ in bars(ax)} == {
            (State.KEEPS_UP.value, 0),
            (State.BEHIND.value, 0),
            (State.KEEPS_UP.value, 1),
            (State.BLOCKED.value, 1),
        }
        assert max(end for *_, end in bars(ax)) == pytest.approx(top, rel=0.05)


def test_states_differ_without_colour(measured: Derived) -> None:
    looks = {
        (round(bar.get_height(), 2), bar.get_hatch())
        for bar in made(measured).axes[0].patches
        if isinstance(bar, Rectangle)
    }
    assert len(looks) == len(State)


def test_what_was_not_measured_is_blank_and_says_so(measured: Derived) -> None:
    texts = {text.get_text(): text.get_position()[1] for text in made(measured).axes[0].texts}
    assert texts["not measured"] == 2
    assert all(row < 2 for _, row, _ in bars(made(measured).axes[0]))


def test_a_point_that_moves_with_the_machine_is_marked(measured: Derived) -> None:
    def texts(figure: Figure) -> str:
        return " ".join(text.get_text() for text in (*figure.axes[0].texts, *figure.legends[0].get_texts()))

    assert "▲" not in texts(made(measured))
    assert "core full" not in texts(made(measured))
    assert "▲" in texts(made(measured, core_bound="web"))
    assert "core full" in texts(made(measured, core_bound="web"))


def test_who_carries_further_stands_higher(measured: Derived) -> None:
    assert ranked(measured.points)[0] == ("celery", "default")
    worse = measured.points.copy()
    worse.loc[worse["strategy"] == "celery", ["held_per_s", "failed_per_s"]] = [1.0, 2.0]
    assert ranked(worse) == [("background_tasks", "default"), ("celery", "default"), ("arq", "default")]


def test_it_stands_first_on_the_page(measured: Derived) -> None:
    first = next(iter(catalogue(measured)))
    assert (first.name, first.first) == ("reach-sleep-one-box", True)


def test_a_campaign_of_invalid_trials_has_a_word_for_it(runs: Path) -> None:
    build(runs, [Cell("celery", [(rate, 3, 50)], service=POOL, reasons=["noise"]) for rate in (20, 40)])
    chart = next(each for each in catalogue(derive(runs)) if each.name.startswith("reach"))
    assert chart.draw is None
    assert "no trial is valid" in chart.words.caption


def test_one_subject_at_one_rate_has_nothing_to_compare(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)], service=POOL)])
    assert not [chart.name for chart in catalogue(derive(runs)) if chart.draw]
