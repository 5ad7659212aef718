"""Tables hold exactly the schema's columns, and damage of any byte is noticed."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.columns import EVENTS, LEDGER_RECORD, RANGES, TABLES
from results.errors import BlockpointError
from results.ledger_file import read_ledger
from results.sums import seal, sums
from results.tables import _arrow_schema, read_table, write_table
from results.terms import Moment

from .conftest import columns

FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def values(column: str, kind: str) -> st.SearchStrategy[object]:
    if kind == "string":
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    if kind == "float64":
        return st.floats(*RANGES[column])
    low, high = limits(column, kind)
    return st.integers(int(low), int(high))


@st.composite
def any_table(draw: st.DrawFn) -> tuple[str, dict[str, np.ndarray]]:
    name = draw(st.sampled_from(sorted(TABLES)))
    rows = draw(st.integers(0, 8))
    return name, {
        column: np.array(
            draw(st.lists(values(column, kind), min_size=rows, max_size=rows)),
            dtype=object if kind == "string" else kind,
        )
        for column, kind in TABLES[name].items()
    }


def refusal(folder: Path, name: str, rows: int | None = None, digest: str | None = None) -> str:
    with pytest.raises(BlockpointError) as caught:
        read_table(folder, name, rows, digest=digest)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    line = str(caught.value)
    assert "\n" not in line
    assert f"{name}.parquet" in line
    return line


@FUZZ
@given(drawn=any_table())
def test_round_trip(tmp_path: Path, drawn: tuple[str, dict[str, np.ndarray]]) -> None:
    name, given_columns = drawn
    rows = write_table(tmp_path, name, given_columns)
    table = read_table(tmp_path, name, rows)
    assert table.column_names == list(TABLES[name])
    for column, array in given_columns.items():
        assert table[column].to_pylist() == array.tolist()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_an_empty_table_keeps_its_types(tmp_path: Path, name: str) -> None:
    assert write_table(tmp_path, name, columns(TABLES[name], 0)) == 0
    read_table(tmp_path, name, 0)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_wrong_columns_are_not_written(tmp_path: Path, name: str) -> None:
    good = columns(TABLES[name], 2)
    first = next(iter(good))
    too_few = {column: array for column, array in good.items() if column != first}
    for wrong in (too_few, good | {"another": good[first]}, good | {first: good[first][:1]}):
        with pytest.raises(ValueError, match=r"column|length"):
            write_table(tmp_path, name, wrong)
    assert not list(tmp_path.iterdir())


def test_a_number_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    wide = columns(EVENTS, 2) | {"pid": np.array([1, 2**40])}
    with pytest.raises(ValueError, match="not in range"):
        write_table(tmp_path, "events", wide)


def limits(column: str, kind: str) -> tuple[float, float]:
    """Return the least and the greatest value that a column takes."""
    room = np.iinfo(kind)
    low, high = RANGES.get(column, (room.min, room.max))
    return max(int(low), int(room.min)), min(int(high), int(room.max))


def beyond(column: str, kind: str) -> list[float]:
    """Return values that its type holds, but no column of ours."""
    if column not in RANGES:
        return []
    low, high = RANGES[column]
    if kind == "float64":
        return [low - 1, high + 1, 1e308, -1e308, np.inf, -np.inf, np.nan]
    room = np.iinfo(kind)
    near = {int(low) - 1, int(high) + 1, int(room.min), int(room.max)}
    return [value for value in near if room.min <= value <= room.max and not low <= value <= high]


ODD = [
    (name, column, value)
    for name, spec in TABLES.items()
    for column in spec
    for value in beyond(column, spec[column])
]


@pytest.mark.parametrize(("name", "column", "value"), ODD)
def test_what_no_table_of_ours_holds_is_neither_written_nor_read(
    tmp_path: Path, name: str, column: str, value: float
) -> None:
    odd = columns(TABLES[name], 3)
    odd[column][1] = value
    with pytest.raises(BlockpointError, match=f"not written.*{column}"):
        write_table(tmp_path, name, odd)
    forged(tmp_path, name, odd)
    assert f"{column} is outside" in refusal(tmp_path, name, 3)


def forged(folder: Path, name: str, of: dict[str, np.ndarray]) -> Path:
    """Write a table as its columns are, with nobody to look at them."""
    schema = _arrow_schema(name)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table([pa.array(of[f.name]).cast(f.type) for f in schema], schema=schema), path)
    return path


def test_a_small_file_that_unpacks_to_a_hundred_million_rows_is_refused_before_it_is(tmp_path: Path) -> None:
    """A million rows of the same value fit into a few bytes, a hundred of such groups into one file."""
    schema = _arrow_schema("holdings")
    places = pa.DictionaryArray.from_arrays(np.zeros(10**6, np.int32), ["queue"])
    ids, looks = (np.zeros(10**6, kind) for kind in (np.uint64, np.int8))
    part = pa.table([ids, looks, places], schema=schema)
    path = tmp_path / "holdings.parquet"
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(part)
    assert path.stat().st_size < 10**6
    before = pa.total_allocated_bytes()
    assert "unpack to 100000000 rows" in refusal(tmp_path, "holdings", 10**8)
    assert pa.total_allocated_bytes() - before < 10**7


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes into, a device without an end, a circle of links."""
    path = tmp_path / "events.parquet"
    for spoil in (
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(path),
        path.mkdir,
    ):
        spoil()
        line = refusal(tmp_path, "events", 3, 1)
        assert "not a regular file" in line or "symbolic links" in line
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").symlink_to("/dev/full")
    with pytest.raises(BlockpointError, match="cannot be written") as caught:
        write_table(tmp_path, "events", columns(EVENTS, 2))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_missing_truncated_and_foreign_files_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.parquet"
    assert "missing" in refusal(tmp_path, name)
    write_table(tmp_path, name, columns(TABLES[name], 50))
    whole = path.read_bytes()
    for length in {0, 3, 4, 8, len(whole) // 2, len(whole) - 5, len(whole) - 1}:
        path.write_bytes(whole[:length])
        refusal(tmp_path, name)
    path.write_text("task_id,moment\n1,2\n")
    refusal(tmp_path, name)
    pq.write_table(pa.table({"x": [1]}), path)
    assert "columns" in refusal(tmp_path, name)
    path.unlink()
    path.mkdir()
    refusal(tmp_path, name)


def test_another_table_under_the_name_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "events", columns(EVENTS, 2))
    (tmp_path / "events.parquet").rename(tmp_path / "requests.parquet")
    assert "columns" in refusal(tmp_path, "requests")


def test_the_number_of_rows_must_be_the_sealed_one(tmp_path: Path) -> None:
    rows = write_table(tmp_path, "events", columns(EVENTS, 5))
    read_table(tmp_path, "events", rows)
    assert "holds 5 rows, but 6 were sealed" in refusal(tmp_path, "events", rows + 1)
    assert "holds 5 rows, but 0 were sealed" in refusal(tmp_path, "events", 0)


def test_a_flipped_byte_inside_a_page_is_caught_by_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    write_table(tmp_path, "events", columns(EVENTS, 500))
    whole = path.read_bytes()
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    first_page = chunk.dictionary_page_offset or chunk.data_page_offset
    inside = first_page + chunk.total_compressed_size - 20  # the end of the column's last page
    path.write_bytes(whole[:inside] + bytes([whole[inside] ^ 0x10]) + whole[inside + 1 :])
    refusal(tmp_path, "events", 500)


@settings(FUZZ, max_examples=250)
@given(data=st.data())
def test_changed_bytes_give_a_table_or_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    """Whichever bytes change: never another exception, never other rows in number."""
    name = data.draw(st.sampled_from(sorted(TABLES)))
    path = tmp_path / f"{name}.parquet"
    write_table(tmp_path, name, columns(TABLES[name], 20))
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        at = data.draw(st.integers(0, len(text) - 1), label="at")
        text[at] = data.draw(st.integers(0, 255), label="put")
    path.write_bytes(text)
    try:
        table = read_table(tmp_path, name, 20)
    except BlockpointError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert table.num_rows == 20


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_checksum_of_the_file_catches_a_flipped_bit_anywhere(tmp_path: Path, name: str) -> None:
    """Parquet's own cover the pages only: bits of a page's header change strings without a word."""
    path = tmp_path / f"{name}.parquet"
    rows = write_table(tmp_path, name, columns(TABLES[name], 20))
    whole = path.read_bytes()
    seal(tmp_path, [path.name])
    digest = sums(tmp_path)[path.name]
    read_table(tmp_path, name, rows, digest=digest)
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        assert "damaged" in refusal(tmp_path, name, rows, digest)


def records(count: int) -> np.ndarray:
    array = np.zeros(count, LEDGER_RECORD)
    array["task_id"] = np.arange(count, dtype="u8") + np.uint64(2**63)
    array["at_ns"] = np.arange(count) * 1000
    array["moment"] = Moment.STARTED
    return array


@FUZZ
@given(count=st.integers(0, 5), torn=st.integers(0, LEDGER_RECORD.itemsize - 1), skip=st.integers(0, 7))
def test_a_ledger_is_read_up_to_its_last_whole_record(
    tmp_path: Path, count: int, torn: int, skip: int
) -> None:
    path = tmp_path / "ledger.bin"
    written = records(count)
    path.write_bytes(written.tobytes() + b"\x7f" * torn)
    assert np.array_equal(read_ledger(path), written)
    rest = read_ledger(path, offset=skip * LEDGER_RECORD.itemsize)
    assert np.array_equal(rest, written[skip:])


def test_a_growing_ledger_is_read_in_parts_that_add_up(tmp_path: Path) -> None:
    """The next part starts after the last whole record, so a record torn now is whole then."""
    path = tmp_path / "ledger.bin"
    written = records(10)
    text = written.tobytes()
    parts, offset = [], 0
    for length in (0, 1, 30, 48, 100, len(text)):
        path.write_bytes(text[:length])
        part = read_ledger(path, offset)
        offset += part.nbytes
        parts.append(part)
    assert np.array_equal(np.concatenate(parts), written)


def test_a_ledger_record_is_24_bytes_without_holes() -> None:
    """Other processes write it with `struct`: size and offsets are the format."""
    assert LEDGER_RECORD.itemsize == 24
    offsets = {name: field[1] for name, field in LEDGER_RECORD.fields.items()}
    assert offsets == {"task_id": 0, "at_ns": 8, "pid": 16, "attempt": 20, "moment": 22, "_": 23}
