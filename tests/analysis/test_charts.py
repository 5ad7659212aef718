import math
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts import Caption, burst_timeline
from analysis.charts.catalogue import catalogue
from analysis.charts.entry import Chart
from analysis.charts.grid import shape_for
from analysis.charts.scales import even_ticks, ticks
from analysis.charts.style import COLOURS, colour, save, to_svg
from analysis.charts.work import throughput
from analysis.format import milliseconds, number
from analysis.trials.derive import derive, read_derived
from results.store import Campaign
from tests.analysis.synthetic import Cell, Truth, build


def charts(folder: Path) -> dict[str, Chart]:
    return {chart.name: chart for chart in catalogue(read_derived(folder))}


def words(chart: Chart) -> set[str]:
    assert chart.draw is not None
    return {text.get_text() for ax in chart.draw().axes for text in ax.texts}


def test_a_campaign_gets_every_chart_it_can_fill(small: tuple[Campaign, dict[str, Truth]]) -> None:
    found = charts(small[0].folder)
    assert set(found) == {
        "reach-sleep-one-box",
        "blocking-sleep-50ms-one-box",
        "latency-sleep-50ms-one-box",
        "throughput-sleep-50ms-one-box",
        "queue-wait-sleep-50ms-one-box",
        "duration-sleep-20-per-s-one-box",
        "burst-sleep-50ms-one-box",
        "cost-sleep-50ms-one-box",
        "predicted-sleep-50ms-one-box",
    }
    assert {"accept", "/ping", "/ping-sync", "4 slots · ceiling 80/s"} <= words(
        found["latency-sleep-50ms-one-box"]
    )
    assert {"tuned", "ceiling: tuned 80/s"} <= words(found["throughput-sleep-50ms-one-box"])
    assert "saturated above about 200 ms" in words(found["duration-sleep-20-per-s-one-box"])


@pytest.mark.parametrize("rates", [(20.0, 30.0, 60.0), (2.0, 60.0, 900.0)], ids=["narrow", "wide"])
def test_work_that_keeps_up_lies_on_the_diagonal(rates: tuple[float, ...]) -> None:
    told = {"strategy": "arq", "variant": "tuned", "ceiling_per_s": math.nan, "valid": True}
    rows = pd.DataFrame([told | {"offered_per_s": rate, "completed_per_s": rate} for rate in rates])
    (ax,) = throughput(rows, Caption("", "", "")).axes
    (diagonal,) = (line for line in ax.lines if line.get_label() == "keeps up")
    start, end = ax.transData.transform(diagonal.get_xydata())
    for x, y in ax.transData.transform([(rate, rate) for rate in rates]):
        assert y == pytest.approx(start[1] + (x - start[0]) * (end[1] - start[1]) / (end[0] - start[0]))


def test_captions_name_the_conditions(small: tuple[Campaign, dict[str, Truth]]) -> None:
    caption = charts(small[0].folder)["latency-sleep-50ms-one-box"].words.caption
    for part in (
        "Slots: 4",
        "one-box",
        "2 cores",
        "uvloop + httptools",
        "seed 1",
        "celery 5.6.3",
        "1 invalid",
    ):
        assert part in caption


def test_what_cannot_be_drawn_says_why(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)], scenario="fanout")])
    found = list(catalogue(derive(runs)))
    assert [chart.name for chart in found if chart.draw] == []
    assert all(chart.words.caption.startswith("Not drawn: ") for chart in found)


def test_only_invalid_trials_draw_nothing(runs: Path) -> None:
    cells = [
        Cell(name, [(rate, 3, 50)], reasons=["noise"]) for name in ("celery", "arq") for rate in (10, 20)
    ]
    build(runs, cells)
    found = {chart.name: chart for chart in catalogue(derive(runs))}
    assert set(found) == {"reach-sleep-one-box", "cost-sleep-50ms-one-box"}
    assert all("no trial is valid" in chart.words.caption for chart in found.values())


def test_an_invalid_trial_is_a_cross(small: tuple[Campaign, dict[str, Truth]]) -> None:
    draw = charts(small[0].folder)["latency-sleep-50ms-one-box"].draw
    assert draw is not None
    crosses = [line for ax in draw().axes for line in ax.lines if line.get_marker() == "x"]
    assert {float(x) for line in crosses for x in np.asarray(line.get_xdata())} == {240}


def test_two_rates_of_one_subject_have_no_costs_to_compare(runs: Path) -> None:
    build(runs, [Cell("celery", [(rate, 3, 50)]) for rate in (10, 20)])
    assert not [chart.name for chart in catalogue(derive(runs)) if chart.name.startswith("cost")]


def test_the_same_campaign_gives_the_same_bytes(
    small: tuple[Campaign, dict[str, Truth]], tmp_path: Path
) -> None:
    for chart in charts(small[0].folder).values():
        assert chart.draw is not None
        svg = save(chart.draw(), tmp_path / chart.name)
        assert svg == to_svg(chart.draw())
        assert (tmp_path / f"{chart.name}.png").read_bytes().startswith(b"\x89PNG")
        ET.fromstring(svg)
        assert b"dc:date" not in svg


def test_of_two_attempts_at_a_burst_the_valid_one_is_drawn(small: tuple[Campaign, dict[str, Truth]]) -> None:
    bins = read_derived(small[0].folder).bursts
    refused = bins.assign(attempt=2, valid=False, backlog=9999)
    figure = burst_timeline(pd.concat([refused, bins], ignore_index=True), Caption("", "", ""))
    backlog = figure.axes[1].lines[0]
    assert list(backlog.get_ydata()) == list(bins["backlog"])
    alone = burst_timeline(refused, Caption("", "", ""))
    assert any("INVALID" in text.get_text() for text in alone.axes[0].texts)


def test_a_strategy_keeps_its_colour_and_strangers_get_one_of_their_own() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert colour("someone_elses") == colour("someone_elses")
    assert colour("someone_elses") not in COLOURS.values()


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (2, 2), (4, 2), (9, 3), (12, 4)])
def test_a_grid_fits_its_panels(panels: int, columns: int) -> None:
    assert shape_for(panels).columns == columns


@given(st.floats(1e-2, 1e5), st.floats(1.01, 1e6))
def test_ticks_are_few_ordered_and_inside(low: float, ratio: float) -> None:
    high = low * ratio
    found = ticks(low, high, 6)
    assert found == sorted(found)
    assert all(low <= tick <= high for tick in found)
    assert len(found) <= 7
    even = even_ticks(high)
    assert even[0] == 0
    assert even[-1] <= high * (1 + 1e-9)
    assert 2 <= len(even) <= 6


@given(st.floats(1e-3, 1e7))
def test_numbers_read_as_what_they_are(value: float) -> None:
    read = float(number(value).replace(",", ""))
    assert math.isclose(read, value, rel_tol=0.06, abs_tol=0.5 if value > 10 else 0)
    assert milliseconds(value).endswith((" ms", " s"))


def test_numbers_a_person_would_write() -> None:
    assert [number(x) for x in (0, 0.5, 6.6667, 40, 1500, math.nan)] == [
        "0",
        "0.5",
        "6.7",
        "40",
        "1,500",
        "n/a",
    ]
    assert [milliseconds(x) for x in (0.25, 100, 2500)] == ["0.25 ms", "100 ms", "2.5 s"]


def test_no_style_of_the_working_directory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfont.size: 40\n")
    code = (
        "from analysis.charts.style import mpl; print(mpl.rcParams['text.usetex'], mpl.rcParams['font.size'])"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert asked.stdout.split() == ["False", "10.0"]
