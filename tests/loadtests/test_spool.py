"""Rows of many workers, gathered in files: the same, and in the same order, as in memory."""

from pathlib import Path

import numpy as np
import pytest

from loadtests.openloop import recorder, spool
from loadtests.openloop.recorder import KINDS, merge, tables
from loadtests.openloop.run import _stretches_of_tables
from loadtests.openloop.schedule import PlannedStep, plan
from results.tables import read_table, write_tables
from results.traffic import Traffic


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hundred rows be many."""
    monkeypatch.setattr(spool, "IN_MEMORY_ROWS", 100)
    monkeypatch.setattr(spool, "STRETCH_ROWS", 64)


def parts(count: int) -> list[tuple[recorder.Rows, list[str]]]:
    """Return what so many workers measured; tasks at even distances meet bystanders' due times."""
    steps = [PlannedStep(1.0, 500.0, 5.0)]
    schedule = plan(steps, seed=3, traffic=Traffic("constant"), bystander_per_s=50.0)
    schedule.due_ns[:] -= schedule.due_ns % 10_000_000
    return [
        (recorder.Recorder(schedule.shard(index, count)).rows(10**9), ["", f"fault {index}"])
        for index in range(count)
    ]


@pytest.mark.usefixtures("small")
def test_rows_of_any_number_of_workers_are_the_same_rows_in_the_same_order() -> None:
    alone, _ = merge(parts(1))
    shared, errors = merge(parts(7))
    assert len(np.unique(alone["due_ns"])) < len(alone["due_ns"]) > 500
    assert isinstance(shared["due_ns"], np.memmap)
    assert {name: column.dtype.name for name, column in shared.items()} == KINDS
    assert all(np.array_equal(alone[name], shared[name]) for name in KINDS)
    assert errors == ["", *(f"fault {index}" for index in range(7))]


@pytest.mark.usefixtures("small")
def test_tables_are_written_stretch_by_stretch_and_read_as_one(tmp_path: Path) -> None:
    rows, errors = merge(parts(2))
    rows["error"][::3] = 2
    write_tables(tmp_path, _stretches_of_tables(rows, errors, 7))
    for name, columns in tables(rows, errors, 7).items():
        read = read_table(tmp_path, name).to_pandas()
        assert set(read) == set(columns)
        for column, values in columns.items():
            assert read[column].tolist() == values.tolist()
