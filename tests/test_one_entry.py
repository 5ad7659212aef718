"""A strategy, a scenario, a chart and a question that nobody knew of: one entry each makes all known."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from matplotlib.figure import Figure

from analysis.charts.catalogue import CHARTS, catalogue
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, make_grid, shape_for
from analysis.charts.parts import by_condition
from analysis.report.build import draw_all
from analysis.report.pages import render_page
from analysis.trials.derive import Derived, derive, read_derived
from analysis.trials.point_table import answers
from analysis.trials.questions import QUESTIONS, Question
from analysis.trials.reach_table import reach_lines
from harness.commands import list as list_command
from harness.commands.list import listing
from harness.search.profiles import SEARCHES
from harness.search.runner import SearchRunner
from results.schema import Service
from results.terms import PATTERNS, Pattern
from tests.analysis.synthetic import SEARCHED, Cell, build
from tests.harness.blockpoint import QUIET, blockpoint, python_with_strategy

POOL = Service(law="pool", slots=4)
STRATEGY = """
from results.schema import Service
from results.terms import KINDS
from targets.strategy import Definition, InProcess, Variant
from targets.work import perform_async


class Dummy(InProcess):
    def __init__(self, settings):
        self.services = {kind: Service(law="await", slots=0) for kind in KINDS}

    async def submit(self, task, background):
        background.add_task(perform_async, task)


definition = Definition("dummy", "a strategy in one file", {"plain": Variant("as it is", Dummy)})
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.mark.e2e
def test_a_strategy_from_outside_is_listed_planned_measured_and_shown(tmp_path: Path, runs: Path) -> None:
    python = python_with_strategy(tmp_path / "installed", "dummy", "dummy:definition", dummy=STRATEGY)
    assert "dummy: a strategy in one file" in blockpoint("list", runs=runs, python=python).stdout
    planned = blockpoint("find", "--profile", "quick", "--dry-run", runs=runs, python=python)
    assert "dummy/plain sleep 100 ms" in planned.stdout, planned.stderr
    asked = ["--profile", "quick", "--strategy", "dummy", "--duration", "20ms", "--duration", "40ms"]
    asked += ["--seconds", "1", "--max-trials", "1"]
    limits = ["--slo-ms", "1000", "--max-rate", "50", "--name", "dummy"]
    found = blockpoint("find", *asked, *limits, *QUIET, runs=runs, python=python)
    assert "dummy/plain" in found.stdout, found.stderr
    derived = read_derived(runs / "dummy")
    assert "dummy · plain" in rows(derived, "reach-sleep-one-box")
    assert "</span>dummy<small>plain</small></th>" in render_page(derived, [], [])


def figure_of(derived: Derived, name: str) -> Figure:
    """Return a chart, drawn."""
    (draw,) = (chart.draw for chart in catalogue(derived) if chart.name == name)
    assert draw is not None
    return draw()


def panels(derived: Derived, name: str) -> set[str]:
    """Return what stands above the panels of a chart."""
    return {text.get_text() for ax in figure_of(derived, name).axes for text in ax.texts}


def rows(derived: Derived, name: str) -> set[str]:
    """Return what stands beside the rows of a chart."""
    return {label.get_text() for ax in figure_of(derived, name).axes for label in ax.get_yticklabels()}


def test_a_scenario_in_one_file_is_listed_drawn_and_shown(
    tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wave.py").write_text('"""Up and down again."""\n')
    monkeypatch.setattr(list_command, "SCENARIOS", tmp_path)
    assert any(line.split() == ["wave", "Up", "and", "down", "again."] for line in listing())
    build(runs, [Cell("celery", [(20, 3, 50), (60, 3, 50)], service=POOL, scenario="wave")])
    derived = derive(runs)
    assert "celery · default" in panels(derived, "latency-sleep-50ms-one-box")
    assert "wave #1</td>" in render_page(derived, [], [])


def test_a_scenario_that_is_told_second_by_second_gets_that_chart(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATTERNS, "wave", Pattern("wave", rank=None, timeline=True))
    steps = [(20.0, 1.0, 50.0), (60.0, 1.0, 50.0)]
    build(runs, [Cell("celery", steps, service=POOL, scenario=name) for name in ("wave", "burst")])
    drawn = {chart.name: chart.words.title for chart in catalogue(derive(runs)) if chart.draw}
    assert drawn == {
        "burst-sleep-50ms-one-box": "What a burst does",
        "burst-wave-sleep-50ms-one-box": "What a wave does",
    }


def test_a_chart_of_one_entry_is_drawn_and_shown(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(part: Part, words: Caption) -> Figure:
        figure, (ax,) = make_grid(1, shape_for(1), words)
        ax.plot(part.rows["offered_per_s"], part.rows["retried"])
        return figure

    entry = Entry(
        name="retries",
        title="How often it was tried again",
        parts=by_condition,
        words=lambda part: Caption("How often it was tried again", part.about, "A dummy."),
        draw=draw,
        needs=lambda _: "nothing was tried",
    )
    monkeypatch.setitem(CHARTS, Derived, [*CHARTS[Derived], entry])
    build(runs, [Cell("celery", [(20, 3, 50)], service=POOL)])
    derived = derive(runs)
    drawings = draw_all(derived, tmp_path / "charts")
    assert (tmp_path / "charts" / "retries-sleep-50ms-one-box.svg").is_file()
    assert '<figure id="retries-sleep-50ms-one-box">' in render_page(derived, drawings, [])
    build(runs.with_name("fanout"), [Cell("celery", [(20, 3, 50)], scenario="fanout")])
    (missing,) = (chart for chart in catalogue(derive(runs.with_name("fanout"))) if chart.name == "retries")
    assert missing.words.caption == "Not drawn: nothing was tried."


def crowded(row: Mapping[str, Any], _limit_ms: float) -> dict[str, Any]:
    """Judge by the backlog alone."""
    return {"crowded": row["backlog_mean"] > 5, "crowded_certain": True, "crowded_by": "accept"}


CROWDED = Question(
    "crowding",
    "crowded",
    crowded,
    who="queue",
    gives_way="gets crowded",
    meaning="more than five tasks wait, whatever {limit} says",
    named_by="Who waits",
)


def test_a_question_of_one_row_is_asked_and_answered_everywhere(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(runs, [Cell("celery", [(rate, 3, 50)], service=POOL) for rate in (20, 60, 240)])
    assert set(derive(runs).points["question"]) == {"blocking", "saturation"}
    monkeypatch.setitem(QUESTIONS, CROWDED.name, CROWDED)
    assert any("crowding" in line and "whatever the limit says" in line for line in listing())
    derived = read_derived(runs)
    assert set((runs / "derived" / "points.csv").read_text().split(",")) >= {"crowding"}
    (answer,) = answers(derived.points)
    found = answer.found["crowding"]
    assert found.interval.endswith("60 to 240/s")
    assert found.by == "accepting a task"
    heading, row = reach_lines(derived.points)[:2]
    assert heading.startswith("fast to / keeps up to / queue gets crowded above")
    assert row.endswith("/ 60 to 240")
    page = render_page(derived, [], [])
    for told in (
        '<th scope="col" class="n">Queue gets crowded at</th>',
        '<th scope="col">Who waits</th>',
        "The <strong>queue gets crowded</strong> (more than five tasks wait, whatever 100 ms says)",
        "Where the queue gets crowded (accept): 60 to 240/s.",
    ):
        assert told in page
    labels = {line.get_label() for ax in figure_of(derived, "reach-sleep-one-box").axes for line in ax.lines}
    assert "the queue gets crowded: interval" in labels


def test_a_question_of_one_row_gets_a_panel_over_durations(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(runs, [Cell("celery", [(rate, 3, ms)], service=POOL) for rate in (20, 240) for ms in (20, 50)])
    monkeypatch.setitem(QUESTIONS, CROWDED.name, CROWDED)
    assert "Where the queue gets crowded" in panels(derive(runs), "frontier-sleep-one-box")


def test_a_question_of_one_row_is_searched(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUESTIONS, CROWDED.name, CROWDED)
    campaign, _ = build(runs, [Cell("celery", [(rate, 3, 50)], service=POOL) for rate in (20, 240)])
    searched = replace(campaign, manifest=msgspec.structs.replace(campaign.manifest, points=[SEARCHED]))
    nothing: Any = None
    runner = SearchRunner(nothing, searched, SEARCHES["standard"], nothing)
    (search,) = runner._searches
    crowding = search.brackets()["crowding"]
    assert (crowding.held, crowding.failed) == (20, 240)
    assert runner._goal(search).expected_per_s["crowding"] is None
    told = search.told(runner._expected(SEARCHED), precision=1.1)
    assert "gets crowded 20 to 240/s, unfinished" in told
