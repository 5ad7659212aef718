from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.queueing import backlog_growth
from analysis.trials.derive import derive, read_derived
from results.schema import Service
from results.store import Campaign
from results.terms import NEVER
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, Truth, build


def summary_of(folder: Path, *cells: Cell) -> pd.DataFrame:
    build(folder, list(cells))
    return derive(folder).summary


def test_percentiles_and_throughput_are_the_simulation_s(small: tuple[Campaign, dict[str, Truth]]) -> None:
    campaign, truths = small
    summary = read_derived(campaign.folder).summary
    assert len(summary) == 4 + 3 + 3 + 3  # at rates, and the steps of a burst and a sweep
    for row in summary[summary["scenario"] == "steady"].itertuples():
        truth = truths[str(row.trial_id)]
        measured = (truth.due_s >= 0.6) & (truth.due_s < 3)
        wait = truth.wait_s[measured] * 1000
        assert row.queue_wait_p50_ms == pytest.approx(
            np.percentile(wait, 50, method="inverted_cdf"), abs=1e-3
        )
        assert row.queue_wait_p99_ms == pytest.approx(
            np.percentile(wait, 99, method="inverted_cdf"), abs=1e-3
        )
        done = truth.due_s + 0.0003 + truth.wait_s + truth.service_s
        assert row.completed_per_s == pytest.approx(((done >= 0.6) & (done < 3)).sum() / 2.4, abs=0.5)
        assert row.due == measured.sum() == row.accepted == row.finished
        assert row.service_p50_ms == pytest.approx(50, abs=1e-3)
        assert row.ceiling_per_s == 80
        assert row.rho == row.offered_per_s / 80
        assert (row.web_cpu_cores, row.web_rss_mib) == (pytest.approx(0.35), 90)
        assert row.loop_lag_max_ms == 2


def test_the_backlog_grows_as_theory_says(runs: Path) -> None:
    rates = (40, 70, 120, 240, 400)
    summary = summary_of(runs, *(Cell("celery", [(r, 10, 50)], service=POOL, seed=3) for r in rates))
    for row in summary.itertuples():
        assert row.backlog_growth == pytest.approx(backlog_growth(row.rho), abs=0.08)
        assert row.behind == (row.rho > 1)


def test_tasks_that_fill_their_slots_at_the_start_do_not_count_as_falling_behind(runs: Path) -> None:
    long = Cell("arq", [(12, 12, 2000)], service=Service(law="pool", slots=100))
    assert not summary_of(runs, long)["behind"].any()


def test_requests_without_an_answer_make_a_percentile_no_better(runs: Path) -> None:
    cells = [Cell("celery", [(100, 3, 10)], unanswered=share) for share in (0, 0.05, 0.6)]
    healthy, late, dead = summary_of(runs, *cells).sort_values("unknown").itertuples()
    assert not healthy.accept_p99_at_least
    assert late.accept_p99_at_least
    assert late.accept_p99_ms > 10 * healthy.accept_p99_ms
    assert late.accept_p50_ms == pytest.approx(healthy.accept_p50_ms)
    assert not late.accept_p50_at_least
    assert dead.accept_p50_at_least
    assert dead.ping_p50_at_least
    assert dead.unknown > 0


def test_what_was_shed_counts_with_what_its_own_stream_had_waited(runs: Path) -> None:
    """A loop that is due twice its work: accepting waits ever longer, a bystander of its own does not."""
    loop = Service(law="loop", slots=1)
    cell = Cell("blocking", [(40, 10, 50)], service=loop, suffers=("accept",), shed=0.1)
    (row,) = summary_of(runs, cell).itertuples()
    assert row.shed > 10
    assert row.accept_n == row.due == row.accepted + row.shed
    assert row.accept_p99_ms > 3_000
    assert row.accept_p99_at_least
    assert (row.blocked, row.blocked_certain, row.blocked_by) == (True, True, "accept")
    assert (row.behind, row.behind_certain) == (True, True)


def test_accepted_tasks_that_never_finished_are_counted_and_censored(runs: Path) -> None:
    (row,) = summary_of(runs, Cell("celery", [(50, 3, 10)], lost=10)).itertuples()
    assert row.unaccounted == 10
    assert row.finished == row.accepted - 10
    assert row.completion_p99_at_least


def test_a_sweep_has_a_row_a_step_with_its_own_ceiling(small: tuple[Campaign, dict[str, Truth]]) -> None:
    summary = read_derived(small[0].folder).summary
    sweep = summary[summary["scenario"] == "duration_sweep"].sort_values("duration_ms")
    assert list(sweep["duration_ms"]) == [10, 50, 400]
    assert list(sweep["ceiling_per_s"]) == [400, 80, 10]


def test_a_fan_out_offers_three_tasks_a_request(runs: Path) -> None:
    (row,) = summary_of(runs, Cell("celery", [(30, 3, 10)], scenario="fanout")).itertuples()
    assert row.offered_per_s == 90
    assert row.due == 3 * row.requests == 3 * row.accept_n
    assert row.completed_per_s == pytest.approx(90, rel=0.3)


def test_derived_tables_read_as_written_and_are_made_again(small: tuple[Campaign, dict[str, Truth]]) -> None:
    made = derive(small[0].folder)
    read = read_derived(small[0].folder)
    pd.testing.assert_frame_equal(made.summary, read.summary, check_dtype=False)
    pd.testing.assert_frame_equal(made.bursts, read.bursts, check_dtype=False)
    (small[0].folder / "derived" / "summary.csv").unlink()
    pd.testing.assert_frame_equal(read_derived(small[0].folder).summary, made.summary)
    assert not list(small[0].folder.glob(".derived-*"))
    stale = made.summary[made.summary["scenario"] != "burst"]
    stale.to_csv(small[0].folder / "derived" / "summary.csv", index=False)
    assert len(read_derived(small[0].folder).summary) == len(made.summary)


def test_a_burst_s_timeline_counts_every_task_once(small: tuple[Campaign, dict[str, Truth]]) -> None:
    bursts = read_derived(small[0].folder).bursts
    truth = small[1][bursts["trial_id"].iloc[0]]
    width = float(bursts["at_s"].diff().iloc[1])
    assert (bursts["arrivals_per_s"] * width).sum() == pytest.approx(len(truth.due_s))
    assert (bursts["completed_per_s"] * width).sum() == pytest.approx(len(truth.due_s))
    assert bursts["backlog"].max() > 50
    assert bursts["backlog"].iloc[-1] == 0
    assert NEVER not in set(bursts["backlog"])
