"""Drills whose fates are known, from raw rows to tables, charts, the page and the README's table."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.charts.catalogue import catalogue
from analysis.drills.derive import Drills, derive_drills
from analysis.drills.intervals import share_interval
from analysis.drills.matrix import cells, drills_in_order
from analysis.drills.poison import poison_table
from analysis.format import percent
from analysis.report.build import make_report
from analysis.report.drill_pages import DASH, render_drills
from analysis.report.drill_words import duration
from analysis.report.markdown import main, markdown
from analysis.trials.derive import derive
from results.errors import BlockpointError
from results.store import open_campaign
from results.terms import Fate
from tests.analysis.gallery_drills import make
from tests.analysis.synthetic_drills import (
    BACKOFF_S,
    FAULT_S,
    REPAIRED_S,
    WINDOW_S,
    DrillCell,
    build_drills,
)

LOSER, KEEPER = "background_tasks/default", "celery/tuned"


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Drills:
    """The gallery with two repeats. Not to be changed."""
    return derive_drills(make(tmp_path_factory.mktemp("runs") / "drills", repeats=2).folder)


def test_every_trial_has_a_row_whose_fates_add_up(drills: Drills) -> None:
    trials = drills.trials
    assert len(trials) == len(open_campaign(drills.folder).manifest.plans)
    assert (trials[[fate.label for fate in Fate]].sum(axis=1) == trials["scheduled"]).all()
    assert (drills.folder / "derived" / "matrix.csv").is_file()


def test_the_matrix_sums_what_counts(drills: Drills) -> None:
    found = cells(drills.matrix)
    own = drills.trials[(drills.trials["drill"] == "kill-web") & (drills.trials["subject"] == LOSER)]
    loss = found[LOSER, "kill-web"]
    assert loss["repeats"] == 2
    assert loss["lost"] == own["lost"].sum() == loss["lost_in_flight"] > 0
    assert loss["lost_of_in_flight"] == 1.0
    assert loss["rejected"] > 0
    hid = found[KEEPER, "kill-worker"]
    assert (hid["lost"], hid["refused"], hid["hidden_until_s"]) == (0, 1, WINDOW_S)
    assert hid["hidden_at_rest"] == hid["hidden"] + hid["twice"] > hid["twice"] > 0
    assert (LOSER, "kill-worker") not in found
    refused = found[KEEPER, "too-short-window"]
    assert (refused["repeats"], refused["refused"]) == (0, 1)
    assert np.isnan(refused["lost"])


def test_a_trial_that_says_other_than_its_rows_is_refused(tmp_path: Path) -> None:
    cell = DrillCell("kill-web", "threadpool", then="loses", broker=False, tells={"lost": 0})
    with pytest.raises(BlockpointError, match="fates disagree: 0 lost in trial"):
        derive_drills(build_drills(tmp_path / "runs", [cell]).folder)


def test_recovery_ends_with_the_last_bad_answer_and_the_last_hidden_task(drills: Drills) -> None:
    found = cells(drills.recovery)
    down = found[KEEPER, "kill-web"]
    assert REPAIRED_S - FAULT_S < down["recovery_max_s"] < REPAIRED_S - FAULT_S + 0.3
    assert down["errors_tasks_refused"] > 0
    assert down["errors_bystanders_refused"] > 0
    slow = found[KEEPER, "hang-broker"]
    assert slow["during_bystander_max_ms"] == pytest.approx(452)
    assert slow["before_bystander_max_ms"] == pytest.approx(2)
    assert slow["after_bystander_max_ms"] == pytest.approx(2)
    hidden = found[KEEPER, "kill-worker"]
    assert hidden["recovery_median_s"] == pytest.approx(WINDOW_S + 0.25)
    assert np.isnan(found[KEEPER, "poison-raise"]["never"])


def test_latencies_of_drills_that_ran_beside_each_other_are_left_out(tmp_path: Path) -> None:
    cell = DrillCell("kill-web", "celery", down=True)
    derived = derive_drills(build_drills(tmp_path / "runs", [cell], jobs=3).folder)
    assert derived.api.empty
    assert derived.recovery.empty
    assert derived.matrix["accepted"].tolist() == derived.trials["accepted"].tolist()
    drawn = {chart.name: chart for chart in catalogue(derived)}
    assert drawn["timeline"].draw is None
    assert "3 drills ran beside each other" in render_drills(derived, [])


def test_retries_and_deaths_of_poisonous_tasks(drills: Drills) -> None:
    retries = poison_table(drills.poison, "raise").set_index("subject")
    assert retries.loc[KEEPER, ["starts_min", "starts_max", "poisoned_failed"]].tolist() == [3, 3, 32]
    assert retries.loc[KEEPER, "backoff_median_ms"] == pytest.approx(BACKOFF_S * 1000)
    assert retries.loc[LOSER, "starts_max"] == 1
    assert np.isnan(retries.loc[LOSER, "backoff_median_ms"])
    kills = poison_table(drills.poison, "kill").set_index("subject")
    assert kills.loc[KEEPER, ["deaths", "poisoned_lost", "others_lost"]].tolist() == [32, 32, 0]


def test_an_interval_is_over_repeats_and_says_nothing_where_they_agree() -> None:
    lost, accepted = np.array([2, 8, 5, 6, 3]), np.full(5, 80)
    low, high = share_interval(lost, accepted)
    assert 0 < low < 24 / 400 < high < 8 / 80 * 1.5
    assert np.isnan(share_interval(np.zeros(5, np.int64), accepted)).all()
    assert np.isnan(share_interval(lost[:1], accepted[:1])).all()
    few = share_interval(lost[:2], accepted[:2])
    assert few[1] - few[0] > high - low


def test_every_drill_gets_its_chart(drills: Drills) -> None:
    drawn = {chart.name: chart for chart in catalogue(drills)}
    assert set(drawn) == {
        "matrix",
        *(f"timeline-{n}" for n in ("kill-web", "kill-worker", "hang-broker", "poison-raise", "poison-kill")),
    }
    chart = drawn["timeline-kill-worker"]
    assert "SIGKILL to the whole worker" in chart.words.subtitle
    assert chart.draw is not None
    texts = {text.get_text() for ax in chart.draw().axes for text in ax.texts}
    assert {"fault", "put right", "celery · tuned"} <= texts
    assert drawn["matrix"].draw is not None
    cells_drawn = {text.get_text() for ax in drawn["matrix"].draw().axes for text in ax.texts}
    assert "refused" in cells_drawn


def test_a_campaign_of_drills_gets_the_page_of_drills(drills: Drills) -> None:
    page = make_report(drills.folder)
    text = page.read_text()
    assert text.index("What do I lose?") < text.index("What each drill does")
    assert "hidden for at most 5 s here; 1 h by default" in text
    assert "slip p99 2 ms" in text
    assert f"<strong>{DASH}</strong>" in text
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?https?:""", text)
    for link in re.findall(r'href="(charts/[^"]+)"', text):
        assert (page.parent / link).is_file()
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text
    assert not list(drills.folder.glob(".*"))
    with pytest.raises(BlockpointError, match="only drills"):
        derive(drills.folder)


def test_names_and_texts_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    cell = DrillCell("kill-web", "a<b>&", summary=evil)
    derived = derive_drills(build_drills(tmp_path / "runs", [cell, replace(cell, reasons=[evil])]).folder)
    page = render_drills(derived, [])
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_the_readme_gets_the_matrix_as_markdown(
    drills: Drills, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = markdown(drills.matrix, drills.manifest)
    loss = cells(drills.matrix)[LOSER, "kill-web"]
    row = next(line for line in text.splitlines() if LOSER in line)
    assert f"**{loss['lost']:.0f} / 0 / 0** of {loss['accepted']:.0f}" in row
    assert row.count(DASH) == 4
    assert {line.count("|") for line in text.splitlines()} == {8}
    assert main([str(drills.folder)]) == 0
    assert capsys.readouterr().out == text
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_drills_come_in_their_order_and_unknown_ones_last() -> None:
    assert drills_in_order(["zebra", "poison-kill", "kill-web", "zebra"]) == [
        "kill-web",
        "poison-kill",
        "zebra",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5 s"), (90, "90 s"), (310, "5.2 min"), (3600, "1 h"), (7200, "2 h")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (1, "100 %"), (0.9999, "> 99 %"), (0.0001, "< 0.1 %"), (0.098, "9.8 %")]
)
def test_a_few_never_read_as_none_nor_most_as_all(share: float, text: str) -> None:
    assert percent(share) == text
