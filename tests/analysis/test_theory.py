from pathlib import Path

from analysis.charts.catalogue import catalogue
from analysis.report.pages import render_page
from analysis.report.theory import lines, scores
from analysis.trials.derive import derive
from results.schema import Service
from tests.analysis.synthetic import Cell, build

ALONE = Service(law="pool", slots=10)
POOL = Service(law="pool", slots=10, shares=["ping_sync"])


def test_a_page_says_how_often_theory_was_right(runs: Path) -> None:
    cells = [Cell("celery", [(rate, 8, 50)], service=ALONE) for rate in (50, 100, 240)]
    build(runs, [*cells, Cell("celery", [(60, 8, 50)], service=ALONE, reasons=["noise"])])
    derived = derive(runs)
    assert {score.label: (score.agreed, score.asked) for score in scores(derived.predictions)} == {
        "completed": (3, 3),
        "queue wait p99": (3, 3),
        "completion p99": (3, 3),
    }
    found = lines(derived.predictions)
    assert [line.offered for line in found] == ["50", "100", "240"]
    assert [line.steady for line in found][-1] == "no limit"
    assert all(len(line.pairs) == 3 for line in found)
    page = render_page(derived, [], [])
    assert '<h3 id="theory">' in page
    assert "3 of 3 for completion p99" in page
    assert page.index('id="theory"') < page.index('id="all-rows"')


def test_a_page_without_schedules_says_so(runs: Path) -> None:
    build(runs, [Cell("celery", [(50, 2, 50)], service=POOL, closed=True)])
    derived = derive(runs)
    assert lines(derived.predictions) == scores(derived.predictions) == []
    assert "nothing to compare" in render_page(derived, [], [])


def test_a_chart_overlays_theory_where_it_says_something(runs: Path) -> None:
    build(
        runs,
        [Cell("celery", [(rate, 4, 50)], service=POOL) for rate in (100, 240)]
        + [Cell("inline", [(100, 4, 50)], service=Service(law="await", slots=0))],
    )
    found = {chart.name: chart for chart in catalogue(derive(runs))}
    draw = found["predicted-sleep-50ms-one-box"].draw
    assert draw is not None
    (ax,) = draw().axes
    assert {"wait", "/ping-sync"} <= {text.get_text() for text in ax.texts}
    assert len([line for line in ax.lines if line.get_markerfacecolor() == "none"]) == 2


def test_no_chart_where_theory_says_nothing(runs: Path) -> None:
    build(
        runs, [Cell("inline", [(rate, 2, 50)], service=Service(law="await", slots=0)) for rate in (50, 100)]
    )
    assert not any(chart.name.startswith("predicted") for chart in catalogue(derive(runs)))
