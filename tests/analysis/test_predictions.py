from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.trials.derive import derive, read_derived
from analysis.trials.load import load_campaign
from analysis.trials.predictions import COLUMNS, QUANTITIES, agreement, predict
from analysis.trials.summary import summarise
from results.schema import Service, Subject
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=10)
LOOP = Service(law="loop", slots=1, shares=["accept", "ping", "ping_sync"])


def predictions(runs: Path, *cells: Cell) -> pd.DataFrame:
    build(runs / "campaign", list(cells))
    measured = load_campaign(runs / "campaign")
    return pd.concat(
        predict(frames, measured.manifest, summarise(frames, measured.manifest))
        for frames in measured.frames()
    )


@pytest.mark.parametrize("rate", [100, 180, 195, 230])
def test_a_queue_that_is_fifo_is_predicted_below_and_above_saturation(runs: Path, rate: float) -> None:
    row = predictions(runs, Cell("background_tasks", [(rate, 20, 50)], service=POOL)).iloc[0]
    assert row["held_ms"] == pytest.approx(50, abs=0.1)
    for name in ("completed_per_s", "queue_wait_p99_ms", "completion_p99_ms"):
        assert row[f"predicted_{name}"] == pytest.approx(row[f"measured_{name}"], rel=0.02, abs=1)
        assert row[f"agrees_{name}"]
    assert np.isnan(row["predicted_ping_sync_p99_ms"])
    assert np.isinf(row["mdc_wait_p99_ms"]) == (row["due_per_s"] >= 200)


@pytest.mark.parametrize("rate", [100, 180, 230])
def test_tasks_that_are_not_equally_long_are_followed_one_by_one(runs: Path, rate: float) -> None:
    cell = Cell("background_tasks", [(rate, 20, 50)], service=POOL, cv=2.0)
    row = predictions(runs, cell).iloc[0]
    for name in ("completed_per_s", "queue_wait_p99_ms", "completion_p99_ms"):
        assert row[f"predicted_{name}"] == pytest.approx(row[f"measured_{name}"], rel=0.02, abs=1)
    assert np.isnan([row["mmc_wait_p99_ms"], row["mdc_wait_p99_ms"]]).all()


def test_the_steady_state_of_another_traffic_is_not_known(runs: Path) -> None:
    cell = Cell("background_tasks", [(100, 20, 50)], service=POOL, arrivals="onoff")
    row = predictions(runs, cell).iloc[0]
    assert np.isnan([row["mmc_wait_p99_ms"], row["mdc_wait_p99_ms"]]).all()
    assert row["agrees_queue_wait_p99_ms"]


def test_a_step_inherits_the_line_of_the_one_before(runs: Path) -> None:
    burst = Cell("celery", [(50, 3, 50), (400, 3, 50), (50, 3, 50)], service=POOL, scenario="burst")
    rows = predictions(runs, burst)
    assert rows["measured_queue_wait_p99_ms"].iloc[2] > 1000
    assert rows["agrees_queue_wait_p99_ms"].all()
    assert rows["agrees_completed_per_s"].all()


def test_what_shares_the_loop_is_predicted_and_its_tasks_do_not_wait_once_accepted(runs: Path) -> None:
    cell = Cell("background_tasks_blocking", [(10, 60, 50)], service=LOOP, suffers=("accept", "ping"))
    row = predictions(runs, cell).iloc[0]
    assert row["agrees_accept_p99_ms"]
    assert row["predicted_ping_p99_ms"] > 50
    assert row["predicted_ping_sync_p99_ms"] > row["predicted_ping_p99_ms"]
    assert np.isnan(row["predicted_queue_wait_p99_ms"])


def test_a_hand_over_that_takes_time_is_fitted_at_load(runs: Path) -> None:
    """ARQ's ticks hold a slot of 10 for 100 ms though a task takes 60: seen from a pool, a slow hand-over."""
    slow = Service(law="poll", slots=10, poll_s=0.1, read_limit=1000)
    campaign, _ = build(runs / "slow", [Cell("celery", [(150, 10, 60)], service=slow)])
    (frames,) = load_campaign(runs / "slow").frames()
    subject = Subject(strategy="celery", variant="default", summary="", services={"sleep": POOL})
    frames = replace(frames, subject=subject)
    row = predict(frames, campaign.manifest, summarise(frames, campaign.manifest)).iloc[0]
    assert row["held_ms"] == pytest.approx(100, rel=0.02)
    assert row["agrees_queue_wait_p99_ms"]


def test_where_theory_is_silent(runs: Path) -> None:
    rows = predictions(
        runs,
        Cell("threadpool", [(20, 5, 50)], service=POOL, kind="cpu"),
        Cell("threadpool", [(20, 5, 50)], service=POOL, closed=True),
        Cell("threadpool", [(20, 5, 50)], service=POOL, scenario="fanout"),
    )
    assert len(rows) == 1
    row = rows.iloc[0]
    assert np.isnan(row["predicted_queue_wait_p99_ms"])
    assert not row["agrees_queue_wait_p99_ms"]
    assert row["predicted_completed_per_s"] == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize(("slots", "known"), [(1_000, True), (100_000, False)])
def test_a_steady_state_is_not_computed_of_more_servers_than_memory_has_room_for(
    runs: Path, slots: int, known: bool
) -> None:
    pool = Service(law="pool", slots=slots)
    row = predictions(runs, Cell("threadpool", [(20, 5, 50)], service=pool)).iloc[0]
    assert np.isnan(row["mdc_wait_p99_ms"]) != known
    assert row["agrees_queue_wait_p99_ms"]


@pytest.mark.parametrize("odd", [{"poll_s": 0.0}, {"read_limit": 0}, {"poll_s": 0.001}])
def test_a_poll_is_followed_to_its_end_whatever_it_says(runs: Path, odd: dict[str, Any]) -> None:
    """No time between two looks is a pool, no limit takes all; 30 s are not looked at 30,000 times."""
    service = Service(law="poll", slots=2, **{"poll_s": 0.1, "read_limit": 10, **odd})
    row = predictions(runs, Cell("arq", [(2, 5, 30_000)], service=service)).iloc[0]
    assert np.isfinite(row["predicted_queue_wait_p99_ms"])
    assert row["predicted_queue_wait_p99_ms"] == pytest.approx(row["measured_queue_wait_p99_ms"], rel=0.05)


def test_invalid_trials_are_in_the_table_and_in_no_count(runs: Path) -> None:
    rows = predictions(
        runs,
        Cell("celery", [(100, 5, 50)], service=POOL),
        Cell("celery", [(100, 5, 50)], service=POOL, reasons=["slip p99 2 ms"], seed=2),
    )
    assert len(rows) == 2
    assert agreement(rows, "completion_p99_ms").tolist() == [True]


def test_it_is_written_beside_the_summary_and_read_again(runs: Path) -> None:
    build(runs / "campaign", [Cell("celery", [(100, 2, 50)], service=POOL)])
    made = derive(runs / "campaign").predictions
    assert list(made) == COLUMNS
    assert all(f"predicted_{name}" in made for name in QUANTITIES)
    pd.testing.assert_frame_equal(read_derived(runs / "campaign").predictions, made, check_dtype=False)


def test_a_campaign_of_closed_loops_has_an_empty_table(runs: Path) -> None:
    build(runs / "campaign", [Cell("celery", [(100, 2, 50)], service=POOL, closed=True)])
    derive(runs / "campaign")
    assert read_derived(runs / "campaign").predictions.empty
