import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts import Caption, blocking
from analysis.charts.catalogue import catalogue
from analysis.charts.direct_labels import End, label_ends
from analysis.charts.grid import Box, make_figure
from analysis.charts.scales import log_axis
from analysis.charts.series import median_line
from analysis.trials import curves
from analysis.trials.curves import has_curve, over_rates, worst_p99
from analysis.trials.derive import Derived, derive
from results.schema import Service
from tests.analysis.gallery import SUBJECTS
from tests.analysis.synthetic import Cell, build

NOTHING = Caption("", "", "")
RATES = (20.0, 40.0, 80.0, 600.0)
SHARED = Service(law="pool", slots=4, shares=["ping_sync"])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """Twelve subjects at four rates with a gap before the last, one of them a pool with a law."""
    pool: dict[str, Any] = {"strategy": "background_tasks", "service": SHARED, "suffers": ("ping_sync",)}
    subjects = [pool, *SUBJECTS[:1], *SUBJECTS[2:]]
    cells = [Cell(steps=[(rate, 2.0, 50.0)], **subject) for subject in subjects for rate in RATES]
    cells += [Cell(steps=[(160.0, 2.0, 50.0)], unanswered=0.1, **SUBJECTS[-1])]
    cells += [Cell(steps=[(30.0, 2.0, 50.0)], reasons=["slip p99 2 ms"], **pool)]
    cells += [Cell(steps=[(20.0, 2.0, 20.0)], **SUBJECTS[-1])]
    return derive(build(tmp_path_factory.mktemp("runs") / "curves", cells)[0].folder)


@pytest.fixture(scope="module")
def figure(measured: Derived) -> Figure:
    at_50_ms = measured.summary[measured.summary["duration_ms"] == 50]
    theory = measured.predictions[measured.predictions["duration_ms"] == 50]
    return blocking(at_50_ms, theory, NOTHING)


def lines(ax: Axes, label: str) -> list[tuple[list[float], list[float]]]:
    """Return the points of every line with that label."""
    found = (line for line in ax.lines if line.get_label() == label)
    return [(list(np.asarray(line.get_xdata())), list(np.asarray(line.get_ydata()))) for line in found]


def test_all_subjects_share_one_pair_of_axes(figure: Figure) -> None:
    bystanders, accept, completed = figure.axes
    named = {text.get_text() for text in bystanders.texts}
    assert {"background_tasks · default", "celery · tuned", "inline", "someone_elses"} <= named
    assert all(lines(ax, "inline") for ax in (bystanders, accept, completed))


def test_a_line_does_not_cross_what_nobody_measured(figure: Figure) -> None:
    for ax in figure.axes:
        assert [x for x, _ in lines(ax, "inline")] == [[20, 40, 80], [600]]


@pytest.mark.parametrize(
    ("rates", "pieces"),
    [
        ([], []),
        ([10], [[10]]),
        ([10, 22, 48], [[10, 22, 48]]),
        ([10, 23], [[10], [23]]),
        ([1, 2, 9, 10, 100], [[1, 2], [9, 10], [100]]),
    ],
)
def test_runs_end_where_rates_lie_far_apart(rates: list[float], pieces: list[list[float]]) -> None:
    found = curves.runs(np.array(rates, float), np.array(rates, float))
    assert [list(x) for x, _ in found] == pieces


def test_the_detail_keeps_the_gaps_too() -> None:
    points = pd.DataFrame({"offered_per_s": [10.0, 20.0, 90.0, 100.0], "p99": [1.0, 2.0, 3.0, 4.0]})
    found = median_line(points.assign(valid=True), "offered_per_s", "p99")
    assert [value for value in found["p99"] if not math.isnan(value)] == [1, 2, 3, 4]
    assert found.isna().all(axis=1).tolist() == [False, False, True, False, False]
    durations = points.rename(columns={"offered_per_s": "duration_ms"}).assign(valid=True)
    assert not median_line(durations, "duration_ms", "p99").isna().any(axis=None)


def test_the_worse_bystander_counts_and_an_unanswered_one_makes_it_a_bound() -> None:
    row = {"offered_per_s": 10.0, "valid": True, "ping_p99_at_least": False, "ping_sync_p99_at_least": False}
    rows = pd.DataFrame(
        [
            row | {"ping_p99_ms": 5.0, "ping_sync_p99_ms": 30.0},
            row | {"ping_p99_ms": 10.0, "ping_sync_p99_ms": 3.0, "ping_sync_p99_at_least": True},
            row | {"ping_p99_ms": 900.0, "ping_sync_p99_ms": 900.0, "valid": False},
            row | {"ping_p99_ms": math.nan, "ping_sync_p99_ms": math.nan, "offered_per_s": 20.0},
        ]
    )
    found = worst_p99(rows, ["ping", "ping_sync"])
    assert list(found["value"]) == [30, 10, 900]
    assert over_rates(found).to_dict("records") == [{"offered_per_s": 10, "value": 20, "at_least": True}]


def test_a_bound_is_hollow_and_an_invalid_trial_a_cross_in_no_line(figure: Figure) -> None:
    bystanders = figure.axes[0]
    hollow = [line for line in bystanders.lines if line.get_label() == "at least" and len(line.get_xdata())]  # type: ignore[arg-type]
    assert {float(np.asarray(line.get_xdata())[0]) for line in hollow} == {160}
    assert {str(line.get_marker()) for line in hollow} == {"o", "6"}
    assert [line.get_markerfacecolor() for line in hollow if line.get_marker() == "o"] == ["white"]
    assert [x for x, _ in lines(bystanders, "invalid") if x] == [[30]]
    assert all(30 not in x for x, _ in lines(bystanders, "background_tasks · default"))


def test_theory_and_ceilings_stand_behind(figure: Figure) -> None:
    bystanders, _, completed = figure.axes
    assert [x for x, _ in lines(bystanders, "theory")] == [[20, 40, 80], [600]]
    assert 80 in {y[0] for _, y in lines(completed, "ceiling")}
    assert len(lines(completed, "keeps up")) == 1


def test_a_condition_of_one_rate_has_no_such_chart(measured: Derived) -> None:
    names = [chart.name for chart in catalogue(measured) if chart.name.startswith("blocking")]
    assert names == ["blocking-sleep-50ms-one-box"]
    assert not has_curve(measured.summary[measured.summary["duration_ms"] == 20])


def test_it_stands_second_with_the_answer(measured: Derived) -> None:
    first = [chart.name for chart in catalogue(measured) if chart.first]
    assert first[:2] == ["reach-sleep-one-box", "blocking-sleep-50ms-one-box"]


def test_only_invalid_trials_draw_no_curve(runs: Path) -> None:
    build(runs, [Cell("celery", [(rate, 3, 50)], reasons=["noise"]) for rate in (10, 20)])
    assert not any(chart.name.startswith("blocking") for chart in catalogue(derive(runs)))


@pytest.mark.parametrize("same", [True, False], ids=["one end", "a cloud"])
def test_no_name_lies_upon_another(same: bool) -> None:
    (ax,) = make_figure([Box(0.7, 0.4, 5.0, 4.0)], 9.0, 4.5, NOTHING)[1]
    log_axis(ax, 10, 1000, "x", time=False)
    log_axis(ax, 1, 1000, "y", time=True)
    rng = np.random.default_rng(1)
    places = [(900.0, 3.0)] * 13 if same else list(10 ** rng.uniform((1.0, 0.3), (2.3, 2.5), (13, 2)))
    label_ends(ax, [End(x, y, f"subject {n}", "#000000") for n, (x, y) in enumerate(places)], [])
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 13
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[n + 1 :])


def test_a_name_that_stands_elsewhere_gives_way_to_a_crowd() -> None:
    (ax,) = make_figure([Box(0.7, 0.4, 5.0, 4.0)], 9.0, 4.5, NOTHING)[1]
    log_axis(ax, 10, 1000, "x", time=False)
    log_axis(ax, 1, 1000, "y", time=True)
    label_ends(ax, [End(50.0, 30.0, f"subject {n}", "#1A1A1A", again=n > 0) for n in range(13)], [])
    written = [text.get_text() for text in ax.texts]
    assert written[0] == "subject 0"
    assert 1 < len(written) < 8
