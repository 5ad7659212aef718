from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop import figures
from loadtests.openloop.recorder import Recorder, merge, tables, task_ids
from loadtests.openloop.schedule import PlannedStep, plan
from results.columns import BYSTANDERS, REQUESTS
from results.tables import read_table, write_table
from results.terms import NEVER, Outcome, Stream

PARTS = [PlannedStep(1, 40, 10), PlannedStep(1, 80, 250)]
START_NS = 10**12


def recorded(seed: int, shard: int = 0, count: int = 1) -> Recorder:
    recorder = Recorder(plan(PARTS, seed=seed, bystander_per_s=10).shard(shard, count))
    for row in range(0, len(recorder.schedule), 2):
        due_ns = START_NS + int(recorder.schedule.due_ns[row])
        recorder.sent_ns[row] = due_ns + 1000
        if row % 3:
            recorder.settle(row, Outcome.ACCEPTED, 202, due_ns + 5000, "")
        else:
            recorder.settle(row, Outcome.UNKNOWN, 0, NEVER, f"cause {shard}")
    return recorder


def test_every_arrival_has_a_row_even_if_nothing_was_ever_heard_of_it(tmp_path: Path) -> None:
    schedule = plan(PARTS, seed=3, bystander_per_s=10)
    recorder = Recorder(schedule)
    made = tables(recorder.rows(START_NS), list(recorder.errors), tag=7)
    tasks = int(np.count_nonzero(schedule.stream == Stream.TASKS))
    assert made["requests"]["arrival"].tolist() == list(range(tasks))
    assert set(made["requests"]["outcome"]) == {Outcome.UNKNOWN}
    assert set(made["requests"]["sent_ns"]) == {NEVER}
    assert len(made["bystanders"]["arrival"]) == len(schedule) - tasks
    assert set(made["requests"]) == set(REQUESTS)
    assert set(made["bystanders"]) == set(BYSTANDERS)
    assert write_table(tmp_path, "requests", made["requests"]) == tasks
    assert read_table(tmp_path, "requests", tasks).column("duration_ms").to_pylist()[-1] == 250.0


@given(st.integers(0, 1000), st.integers(1, 4))
def test_the_workers_rows_join_to_what_one_process_would_have_recorded(seed: int, count: int) -> None:
    whole = plan(PARTS, seed=seed, bystander_per_s=10)
    recorders = [recorded(seed, shard, count) for shard in range(count)]
    rows, errors = merge([(r.rows(START_NS), list(r.errors)) for r in recorders])
    assert np.array_equal(rows["due_ns"], whole.due_ns + START_NS)
    assert errors[0] == ""
    for shard, recorder in enumerate(recorders):
        failed = sum(1 for code in recorder.error if code)
        if failed:
            assert np.count_nonzero(rows["error"] == errors.index(f"cause {shard}")) == failed


def test_joining_nothing_leaves_empty_columns() -> None:
    rows, errors = merge([])
    assert errors == [""]
    assert all(len(column) == 0 for column in rows.values())


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**28))
def test_task_ids_leave_room_for_the_parts_of_a_fan_out(tag: int, arrival: int) -> None:
    first, second = task_ids(np.array([arrival, arrival + 1], np.int64), tag).tolist()
    assert first % 4 == 0
    assert second == first + 4
    assert first >> 32 == tag
    assert first & 0xFFFFFFFF


def test_an_interruption_cuts_the_rows_and_the_steps() -> None:
    recorder = recorded(5)
    rows = recorder.rows(START_NS, until=10)
    end_ns = int(rows["due_ns"][-1])
    steps = figures.measured_steps(PARTS, START_NS, end_ns, 0.2)
    assert len(rows["due_ns"]) == 10
    assert [step.to_ns for step in steps] == [end_ns]


def test_only_what_is_due_after_a_steps_warm_up_is_measured() -> None:
    rows = recorded(5).rows(START_NS)
    steps = figures.measured_steps(PARTS, START_NS, START_NS + 2 * 10**9, 0.25)
    assert [step.measure_from_ns - step.from_ns for step in steps] == [250_000_000] * 2
    part = figures.measured(rows, steps)
    into_ns = (rows["due_ns"] - START_NS) % 10**9
    assert np.array_equal(part, into_ns >= 250_000_000)


def test_what_failed_is_counted_by_stream_and_cause() -> None:
    recorder = recorded(5)
    rows = recorder.rows(START_NS)
    failures = figures.failures(rows, list(recorder.errors))
    answered = np.count_nonzero(rows["outcome"] == Outcome.ACCEPTED)
    assert sum(failures.values()) == len(rows["outcome"]) - answered
