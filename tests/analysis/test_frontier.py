import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts import Caption, frontier
from analysis.charts.catalogue import catalogue
from analysis.charts.frontier import frontier_by_strategy
from analysis.charts.style import colour
from analysis.report.pages import render_page
from analysis.report.words import read
from analysis.trials.ceilings import ceilings
from analysis.trials.derive import Derived, derive
from analysis.trials.endings import Ending
from analysis.trials.point_table import answers, table
from analysis.trials.questions import BLOCKING
from results.schema import Point, Service
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=4)
LOOP = Service(law="loop", slots=1)
DURATIONS = (20.0, 50.0, 100.0)
NOTHING = Caption("", "", "")
ASKED: Any = {
    "saturation_per_s": 80,
    "lowest_per_s": 1,
    "highest_per_s": 600,
    "seconds": 3,
    "max_seconds": 6,
    "bystander_per_s": 20,
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """Four subjects at three durations: closed intervals, both open ends, a dispute, and only invalid ones.

    A pool gives way between 0.7 and 1.5 of its ceiling; its repeat at 0.7 of 50 ms disagrees.
    """
    starved = Service(law="pool", slots=1)
    cells = [
        Cell("background_tasks", [(56, 3, 50)], service=starved, suffers=("ping_sync",), repeat=1, seed=2)
    ]
    for duration in DURATIONS:
        ceiling = POOL.slots / duration * 1000
        pool = {"strategy": "background_tasks", "service": POOL, "suffers": ("ping_sync",)}
        cells += [Cell(steps=[(ceiling * part, 3, duration)], **pool) for part in (0.4, 0.7, 1.5)]
        cells.append(Cell("celery", [(ceiling * 0.3, 3, duration)], "default", POOL, workers=1))
        reasons = ["slip p99 2 ms"]
        cells.append(Cell("celery", [(ceiling / 2, 3, duration)], "tuned", POOL, workers=1, reasons=reasons))
        suffers = ("accept", "ping", "ping_sync")
        cells.append(Cell("blocking", [(3000 / duration, 3, duration)], service=LOOP, suffers=suffers))
    return derive(build(tmp_path_factory.mktemp("runs") / "searched", cells)[0].folder)


def panel(figure: Figure, name: str) -> Axes:
    (found,) = (ax for ax in figure.axes if name in {text.get_text() for text in ax.texts})
    return found


def drawn(ax: Axes, label: str) -> list[tuple[float, ...]]:
    """Return the y values of every line with that label."""
    return [tuple(np.asarray(line.get_ydata(), float)) for line in ax.lines if line.get_label() == label]


def made(searched: Derived) -> Figure:
    return frontier(searched.points, NOTHING, ceilings(searched.manifest, searched.points, (10, 200)))


API, WORK = "Where the API blocks", "Where the work falls behind"


def test_a_question_has_a_panel_with_all_subjects_and_every_law_once(searched: Derived) -> None:
    figure = made(searched)
    assert len(figure.axes) == 2
    api, work = panel(figure, API), panel(figure, WORK)
    assert drawn(api, "background_tasks: interval") == [(140, 300), (32, 56), (28, 60)]
    assert len(drawn(work, "background_tasks: point")) == len(DURATIONS)
    (curve,) = drawn(api, "background_tasks")
    assert curve == (140, 32, 28)
    laws = drawn(work, "ceiling")
    assert sorted((round(law[0]), round(law[-1])) for law in laws) == [(100, 5), (400, 20)]
    assert not drawn(api, "ceiling")
    assert {"background_tasks", "blocking", "celery · default"} <= {text.get_text() for text in api.texts}
    limits = {tuple(np.round((*ax.get_xlim(), *ax.get_ylim()), 6)) for ax in figure.axes}
    assert len(limits) == 1, "the panels share their axes"


def test_a_disputed_point_is_hollow_and_the_others_are_full(searched: Derived) -> None:
    ax = panel(made(searched), API)
    points = [line for line in ax.lines if line.get_label() == "background_tasks: point"]
    hollow = [line.get_markerfacecolor() == "white" for line in points]
    mine = searched.points[searched.points["strategy"] == "background_tasks"]
    asked = mine[mine["question"] == "blocking"].sort_values("duration_ms")
    assert hollow == list(asked["shaky"])
    assert hollow[1]


@pytest.mark.parametrize(("name", "tip"), [("celery · default", "^"), ("blocking", "v")])
def test_open_intervals_are_arrows_inside_the_panel_and_join_no_curve(
    searched: Derived, name: str, tip: str
) -> None:
    ax = panel(made(searched), API)
    arrows = [line for line in ax.lines if line.get_label() == f"{name}: open"]
    assert [line.get_marker() for line in arrows] == [tip] * len(DURATIONS)
    bottom, top = ax.get_ylim()
    for line, (at,) in zip(arrows, drawn(ax, f"{name}: point"), strict=True):
        end = float(np.asarray(line.get_ydata())[0])
        assert bottom < end < top
        assert (end > at) == (tip == "^")
    assert np.isnan(drawn(ax, name)).all()


def unfinished_at(searched: Derived, duration_ms: float) -> pd.DataFrame:
    """Return the points as if one search had stopped on its way."""
    points = searched.points
    stopped = (points["strategy"] == "background_tasks") & (points["duration_ms"] == duration_ms)
    return points.assign(ending=points["ending"].mask(stopped, str(Ending.UNFINISHED)))


@pytest.mark.parametrize("draw", [frontier, frontier_by_strategy])
def test_no_line_passes_through_what_a_search_left_unfinished(searched: Derived, draw: Any) -> None:
    points = unfinished_at(searched, 50.0)
    figure = draw(points, NOTHING, ceilings(searched.manifest, points, (10, 200)))
    panels = [ax for ax in figure.axes if any(line.get_label().endswith(": interval") for line in ax.lines)]
    assert len(panels) == 2, "one a question"
    for ax in panels:
        mine = [line for line in ax.lines if line.get_label() in {"background_tasks", "default"}]
        (curve,) = (line for line in mine if line.get_color() == colour("background_tasks"))
        assert np.isnan(np.asarray(curve.get_ydata(), float)).tolist() == [False, True, False]
        (bar,) = (line for line in ax.lines if line.get_label().endswith(": unfinished"))
        intervals = [line for line in ax.lines if line.get_label().endswith(": interval")]
        assert [bar.get_linestyle(), *(each.get_linestyle() for each in intervals)] == ["--", "-", "-"]
        assert all(bar.get_linewidth() < each.get_linewidth() for each in intervals)
        assert round(float(bar.get_xdata()[0]) / 50, 1) == 1.0


def test_the_pale_lines_of_others_are_interrupted_there_too(searched: Derived) -> None:
    points = unfinished_at(searched, 50.0)
    figure = frontier_by_strategy(points, NOTHING, ceilings(searched.manifest, points, (10, 200)))
    panels = [ax for ax in figure.axes if "celery" in {text.get_text() for text in ax.texts}]
    others = [line for ax in panels for line in ax.lines if line.get_label() == "others"]
    assert len(others) == 2, "one a question"
    joined = [np.isfinite(np.asarray(line.get_ydata(), float)) for line in others]
    assert not any((each[:-1] & each[1:]).any() for each in joined), "no two neighbours are joined"


def test_invalid_trials_make_no_mark(searched: Derived) -> None:
    ax = panel(made(searched), API)
    assert len(drawn(ax, "celery · default: point")) == len(DURATIONS)
    assert not drawn(ax, "celery · tuned: point")


def test_one_duration_has_nothing_to_compare(searched: Derived) -> None:
    alone = dataclasses.replace(searched, summary=searched.summary[searched.summary["duration_ms"] == 50])
    assert any(chart.name.startswith("frontier") for chart in catalogue(searched))
    assert not any(chart.name.startswith("frontier") for chart in catalogue(alone))


def test_a_subject_served_otherwise_than_declared_keeps_its_trials_ceilings(searched: Derived) -> None:
    odd = searched.points.assign(ceiling_per_s=searched.points["ceiling_per_s"] * 2)
    found = ceilings(searched.manifest, odd[odd["strategy"] == "background_tasks"], (10, 200))
    assert list(found["ceiling_per_s"]) == [400, 160, 80]


def test_the_table_says_how_each_interval_ends(searched: Derived) -> None:
    found = {(a.strategy, a.variant, a.condition.split(",")[0]): a for a in answers(searched.points)}
    unsure = found["background_tasks", "default", "sleep 50 ms"].found[BLOCKING]
    assert (unsure.interval, unsure.notes) == ("~32 to 56/s", "not confirmed at length")
    open_above = found["celery", "default", "sleep 100 ms"].found[BLOCKING]
    assert open_above.interval.endswith("> 12/s")
    assert not open_above.gave_way
    below = found["blocking", "default", "sleep 100 ms"]
    assert below.found[BLOCKING].interval.endswith("< 30/s")
    assert "accepting a task" in below.found[BLOCKING].by
    nothing = found["celery", "tuned", "sleep 20 ms"]
    assert (nothing.found[BLOCKING].interval, nothing.trials, nothing.invalid) == ("not measured", 0, 1)
    assert len(table(found.values())) == len(found) == 12


def test_predictions_and_why_an_interval_is_wide_stand_beside_its_points(searched: Derived) -> None:
    told = searched.points.assign(
        searched=True, predicted_per_s=0.0, ending="wider than asked", wider_because="time ran out"
    )
    blocks = answers(told)[0].found[BLOCKING]
    assert blocks.predicted == "any rate"
    assert blocks.notes.endswith("wider than asked: time ran out")
    assert answers(told.assign(searched=False))[0].found[BLOCKING].predicted == ""


@pytest.mark.parametrize(("rate", "said"), [(np.nan, "not predicted"), (np.inf, "none"), (80, "80/s")])
def test_no_law_is_not_none(rate: float, said: str, searched: Derived) -> None:
    told = searched.points.assign(searched=True, predicted_per_s=rate)
    assert answers(told)[0].found[BLOCKING].predicted == said


def test_the_page_tells_no_law_from_nothing_shared(searched: Derived) -> None:
    """As old campaigns have it: without a rate in either case."""
    old = [
        Point(subject="background_tasks/default", duration_ms=each, kind="sleep", **ASKED)
        for each in (50, 100)
    ]
    pages = []
    for shares in ([], ["ping_sync"]):
        service = msgspec.structs.replace(POOL, shares=shares)
        subjects = [
            msgspec.structs.replace(s, services={"sleep": service}) for s in searched.manifest.subjects
        ]
        manifest = msgspec.structs.replace(searched.manifest, points=old, subjects=subjects)
        pages.append(render_page(dataclasses.replace(searched, manifest=manifest), [], []))
    assert [page.count("<small>predicted none</small>") for page in pages] == [2, 0]
    assert [page.count("<small>not predicted</small>") for page in pages] == [0, 2]
    assert all(page.count("<small>predicted 80/s</small>") == 2 for page in pages)


def test_a_shaky_answer_is_named_in_words(searched: Derived) -> None:
    doubtful = searched.points.assign(shaky=True, disputed=False)
    (found,) = (
        r
        for r in read(searched.summary, doubtful)
        if (r.strategy, r.condition) == ("background_tasks", "sleep tasks of 100 ms, one-box")
    )
    assert "Where the API blocks is shaky: not confirmed at length." in found.sentences
    assert "Where the work falls behind is shaky: within the margin of error." in found.sentences


def test_the_answer_stands_first_on_the_page_and_in_the_catalogue(searched: Derived, tmp_path: Path) -> None:
    assert next(iter(catalogue(searched))).name == "reach-sleep-one-box"
    page = render_page(dataclasses.replace(searched, folder=tmp_path), [], [])
    assert "~32 to 120/s" in page
    assert "<small>verdicts disagree</small>" in page
    assert page.index('id="results"') < page.index('id="points"') < page.index('id="reading"')


def test_a_campaign_of_only_invalid_trials_has_no_frontier(searched: Derived) -> None:
    refused = dataclasses.replace(searched, summary=searched.summary.assign(valid=False, reasons="noise"))
    charts = {chart.name: chart for chart in catalogue(refused)}
    assert "frontier-sleep-one-box" not in charts
    assert charts["reach-sleep-one-box"].draw is None
    assert isinstance(refused.points, pd.DataFrame)
