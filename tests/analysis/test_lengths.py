"""Short and long tasks told apart, and a long run's memory drawn."""

from pathlib import Path

import numpy as np
import pytest

from analysis.charts.catalogue import catalogue
from analysis.report.lengths import lengths
from analysis.report.needs import Sources
from analysis.report.pages import render_page
from analysis.report.reach import Condition
from analysis.trials.derive import Derived, derive
from results.lasting import Lasting
from results.schema import Service
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=2)
MIX = 10.0


def mixed(folder: Path) -> Derived:
    """Two slots, tasks of 100 ms on average: at 18/s of 20/s many short ones stand behind long ones."""
    cells = [Cell("threadpool", [(rate, 60, 100)], service=POOL, mix=MIX) for rate in (6.0, 18.0)]
    build(folder, cells)
    return derive(folder)


def test_short_and_long_tasks_have_columns_of_their_own(tmp_path: Path) -> None:
    row = mixed(tmp_path / "mixed").summary.iloc[0]
    short_ms, long_ms = Lasting(mix=MIX).lengths(100)
    assert row["short_service_p50_ms"] == pytest.approx(short_ms, rel=0.01)
    assert row["long_service_p50_ms"] == pytest.approx(long_ms, rel=0.01)
    assert row["short_service_p99_ms"] < row["long_service_p50_ms"]


def test_a_short_task_may_take_many_times_its_length_behind_a_long_one(tmp_path: Path) -> None:
    derived = mixed(tmp_path / "mixed")
    sources = Sources(derived.manifest, derived.summary, derived.points, {})
    (table,) = lengths(sources, Condition("sleep", 100.0, "one-box"))
    assert [name for name, _ in table.groups] == ["", "short: 53 ms", "long: 526 ms"]
    (row,) = table.rows
    of_short, of_long = row.cells[4].sort, row.cells[8].sort
    assert of_short is not None
    assert of_long is not None
    assert of_short > 5 * of_long
    assert "What do long tasks do to short ones?" in render_page(derived, [], [])


def test_a_campaign_of_equally_long_tasks_has_no_such_table(tmp_path: Path) -> None:
    build(tmp_path / "alike", [Cell("threadpool", [(6.0, 10, 100)], service=POOL)])
    derived = derive(tmp_path / "alike")
    sources = Sources(derived.manifest, derived.summary, derived.points, {})
    assert lengths(sources, Condition("sleep", 100.0, "one-box")) == []
    assert not any(column.startswith("short_") for column in derived.summary)


def test_the_chunks_of_a_long_run_are_drawn_in_their_order(tmp_path: Path) -> None:
    chunks = [
        Cell("arq", [(10, 6, 50)], service=POOL, scenario="soak", repeat=n, seed=n + 1, workers=1)
        for n in range(4)
    ]
    build(tmp_path / "soak", chunks)
    derived = derive(tmp_path / "soak")
    assert derived.points.empty or not (derived.points["trials"] > 0).any()
    (chart,) = (chart for chart in catalogue(derived) if chart.name.startswith("soak"))
    assert chart.draw is not None
    (ax,) = chart.draw().axes
    lines = [np.asarray(line.get_ydata()).tolist() for line in ax.get_lines()]
    assert [2.0, 3.0, 4.0, 5.0] in lines
    assert {text.get_text() for text in ax.texts} >= {"web", "worker", "broker data", "generator", "harness"}
    assert np.asarray(ax.get_lines()[0].get_xdata()).tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
