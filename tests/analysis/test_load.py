from pathlib import Path

import msgspec
import numpy as np
import pytest

from analysis.trials.load import Frames, load_campaign, read_trial
from results.documents import read_document, write_document
from results.errors import BlockpointError
from results.schema import Trial
from results.store import Campaign
from results.sums import seal, sums
from results.terms import FANOUT_PARTS, NEVER, Moment, Outcome
from tests.analysis.synthetic import NETWORK_S, Cell, Truth, build


def first(folder: Path, cell: Cell) -> tuple[Frames, Truth]:
    campaign, truths = build(folder, [cell])
    (frames,) = load_campaign(campaign.folder).frames()
    return frames, truths[frames.trial.plan.trial_id]


def test_every_interval_is_the_simulation_s(small: tuple[Campaign, dict[str, Truth]]) -> None:
    campaign, truths = small
    for frames in load_campaign(campaign.folder).frames():
        truth, tasks = truths[frames.trial.plan.trial_id], frames.tasks
        assert len(tasks) == len(truth.due_s)
        np.testing.assert_allclose(tasks["queue_wait_ms"], truth.wait_s * 1000, atol=1e-3)
        np.testing.assert_allclose(tasks["service_ms"], truth.service_s * 1000, atol=1e-3)
        completion = NETWORK_S + truth.wait_s + truth.service_s
        np.testing.assert_allclose(tasks["completion_ms"], completion * 1000, atol=1e-3)
        np.testing.assert_allclose(tasks["accept_ms"], 2 * NETWORK_S * 1000, atol=1e-3)
        np.testing.assert_allclose(tasks["slip_ms"], 0.05, atol=1e-3)
        assert (tasks["attempts"] == 1).all()


def test_a_fan_out_is_a_row_a_task_joined_to_its_request(runs: Path) -> None:
    frames, truth = first(runs, Cell("celery", [(40, 2, 20)], scenario="fanout"))
    requests = frames.trial.load.scheduled
    assert len(frames.tasks) == requests * FANOUT_PARTS == len(truth.due_s)
    assert frames.tasks["task_id"].is_unique
    assert (frames.tasks.groupby("arrival")["due_ns"].nunique() == 1).all()
    np.testing.assert_allclose(frames.tasks["queue_wait_ms"], truth.wait_s * 1000, atol=1e-3)


def test_the_first_start_and_the_last_end_of_several_attempts_count(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, _ = first(runs, Cell("celery", [(10, 2, 20)]))
    campaign = load_campaign(runs).campaign
    task = frames.tasks.iloc[3]
    table = campaign.table

    def retried(name: str) -> object:
        rows = table(frames.trial, name)
        if name != "events":
            return rows
        later = int(task["finished_ns"]) + 1_000_000
        extra = {
            "task_id": np.full(4, task["task_id"], np.uint64),
            "moment": np.array(
                [Moment.STARTED, Moment.FAILED, Moment.STARTED, Moment.FINISHED], dtype=np.int8
            ),
            "at_ns": np.array([later, later + 1, later + 2, later + 3], np.int64),
            "pid": np.full(4, 7, np.int32),
            "attempt": np.array([2, 2, 3, 3], np.int16),
        }
        stranger = {name: values[:1].copy() for name, values in extra.items()}
        stranger["task_id"] = np.array([3], np.uint64)
        return type(rows).from_pydict(
            {
                name: np.concatenate([rows.column(name).to_numpy(), extra[name], stranger[name]])
                for name in rows.column_names
            },
            schema=rows.schema,
        )

    monkeypatch.setattr(Campaign, "table", lambda _, __, name: retried(name))
    again = read_trial(campaign, frames.trial).tasks
    assert again["started_ns"].iloc[3] == task["started_ns"]
    assert again["finished_ns"].iloc[3] == int(task["finished_ns"]) + 1_000_003
    assert again["failed_ns"].iloc[3] == int(task["finished_ns"]) + 1_000_001
    assert again["attempts"].iloc[3] == 3
    assert len(again) == len(frames.tasks)


def test_what_did_not_come_is_never_and_its_intervals_are_nan(runs: Path) -> None:
    frames, _ = first(runs, Cell("celery", [(50, 2, 20)], unanswered=0.2, lost=5))
    silent = frames.tasks["outcome"] == Outcome.UNKNOWN
    assert silent.any()
    assert (frames.tasks.loc[silent, "replied_ns"] == NEVER).all()
    assert frames.tasks.loc[silent, "accept_ms"].isna().all()
    assert frames.tasks["finished_ns"].eq(NEVER).sum() == 5
    assert frames.tasks["completion_ms"].isna().sum() == 5


def test_a_worker_that_starts_before_submit_returns_waits_for_nothing() -> None:
    from analysis.trials.load import intervals

    moment = np.array([1_000_000], np.int64)
    row = dict.fromkeys(("due_ns", "sent_ns", "replied_ns", "finished_ns"), moment)
    found = intervals(row | {"accepted_ns": moment, "started_ns": moment - 500_000})
    assert found["queue_wait_ms"] == [0]


def test_a_campaign_without_a_sealed_trial_says_so(runs: Path) -> None:
    build(runs, [])
    with pytest.raises(BlockpointError, match="no sealed trial"):
        load_campaign(runs)


def test_a_truncated_table_is_one_line_and_no_partial_table(runs: Path) -> None:
    campaign, _ = build(runs, [Cell("celery", [(10, 2, 20)])])
    table = next(campaign.trials_folder.glob("*/events.parquet"))
    table.write_bytes(table.read_bytes()[:-10])
    measured = load_campaign(runs)
    with pytest.raises(BlockpointError, match=r"events\.parquet") as caught:
        next(measured.frames())
    assert "\n" not in str(caught.value)


def test_moments_of_two_clocks_are_not_joined(runs: Path) -> None:
    campaign, _ = build(runs, [Cell("celery", [(10, 2, 20)])])
    document = next(campaign.trials_folder.glob("*/trial.json"))
    elsewhere = msgspec.structs.replace(read_document(document, Trial), boot_id="two")
    write_document(document, elsewhere)
    seal(document.parent, sums(document.parent))
    with pytest.raises(BlockpointError, match="clocks differ"):
        next(load_campaign(runs).frames())
