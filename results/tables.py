"""Tables on disk: parquet with page checksums, exactly the columns that the schema names."""

import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from results.columns import RANGES, TABLES
from results.errors import BlockpointError
from results.files import read_plain
from results.sums import check
from results.text import named

Columns = Mapping[str, np.ndarray]

MOST_BYTES: Final = 2**31
MOST_ROWS: Final = 2**27
SLACK_ROWS: Final = 2**22
"""rows beyond one for each byte: ids of a backlog follow each other, and pack to nearly nothing"""
MOST_UNPACKED: Final = 50
"""bytes that one byte of a file unpacks to; of ours it is 2.3 at most"""
SLACK_BYTES: Final = 2**26
"""and what any file may unpack to"""
_DELTAS_FROM_BITS: Final = 32
"""narrower integers are smaller as they are"""


def _arrow_schema(name: str) -> pa.Schema:
    types = {"string": pa.dictionary(pa.int32(), pa.string())}
    return pa.schema(
        [
            pa.field(column, types.get(kind) or pa.from_numpy_dtype(np.dtype(kind)), nullable=False)
            for column, kind in TABLES[name].items()
        ]
    )


def write_table(folder: Path, name: str, columns: Columns) -> int:
    """Write the columns of one table into `folder/name.parquet`; return the number of rows.

    Raises ValueError where the columns are not those of the schema or differ in length, and
    BlockpointError where the file cannot be written (a full disk) or a value could not be read again.
    """
    write_tables(folder, [{name: columns}])
    return len(next(iter(columns.values())))


def write_tables(folder: Path, stretches: Iterable[Mapping[str, Columns]]) -> None:
    """Write several tables side by side, stretch by stretch of their rows; raises as `write_table`.

    No more than one stretch is in memory at a time; each is a row group of its file.
    """
    path = folder
    try:
        with ExitStack() as open_files:
            writers: dict[str, pq.ParquetWriter] = {}
            for stretch in stretches:
                for name, columns in stretch.items():
                    path = folder / f"{name}.parquet"
                    table = _checked(name, columns, path)
                    if name not in writers:
                        writers[name] = open_files.enter_context(_writer(path, table.schema))
                    writers[name].write_table(table)
    except OSError as error:
        raise BlockpointError(f"{named(path)}: cannot be written ({_reason(error)})") from None


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, write_page_checksum=True)


def _checked(name: str, columns: Columns, path: Path) -> pa.Table:
    """Return columns as a table of that name, which could be read again."""
    schema = _arrow_schema(name)
    if set(columns) != set(schema.names):
        raise ValueError(f"{name}: columns {sorted(columns)} instead of {sorted(schema.names)}")
    table = pa.table([pa.array(columns[f.name]).cast(f.type) for f in schema], schema=schema)
    if odd := _out_of_range(table):
        raise BlockpointError(f"{named(path)}: not written, for it could not be read again: {odd}")
    return table


def pack_table(path: Path, tables: Sequence[pa.Table]) -> None:
    """Write the rows of many tables of one kind into one file that is as small as can be.

    Raises BlockpointError where it cannot be written.
    """
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    wide = {field.name: field.type for field in table.schema if not pa.types.is_dictionary(field.type)}
    encodings = {
        name: "BYTE_STREAM_SPLIT" if pa.types.is_floating(kind) else "DELTA_BINARY_PACKED"
        for name, kind in wide.items()
        if kind.bit_width >= _DELTAS_FROM_BITS
    }
    try:
        pq.write_table(
            table,
            path,
            compression="zstd",
            compression_level=15,
            write_page_checksum=True,
            use_dictionary=False,
            column_encoding=encodings,
            row_group_size=max(len(table), 1),
        )
    except OSError as error:
        raise BlockpointError(f"{named(path)}: cannot be written ({_reason(error)})") from None


def read_table(
    folder: Path, name: str, rows: int | None = None, *, digest: str | None = None, crc: int | None = None
) -> pa.Table:
    """Read `folder/name.parquet`; raises BlockpointError unless it is whole and as the schema says.

    `rows` is the number of rows that were sealed, `digest` the file's in `SHA256SUMS`, `crc` its CRC-32 in a
    trial of format 1.
    A file that says it unpacks to more than any of ours is refused before it is unpacked.
    """
    path = folder / f"{name}.parquet"
    try:
        data = read_plain(path, MOST_BYTES)
        check(path, data, digest)
        if crc is not None and zlib.crc32(data) != crc:
            raise BlockpointError(f"{named(path)}: damaged: not the bytes that were sealed")
        with pq.ParquetFile(pa.py_buffer(data), page_checksum_verification=True) as file:
            _check_promise(path, name, file, len(data), rows)
            table = file.read()
            if table.num_rows != file.metadata.num_rows:
                raise ValueError(f"{table.num_rows} rows instead of {file.metadata.num_rows}")
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise BlockpointError(f"{named(path)}: missing, truncated or damaged ({_reason(error)})") from None
    if odd := _out_of_range(table):
        raise BlockpointError(f"{named(path)}: damaged or foreign: {odd}")
    return table


def _check_promise(path: Path, name: str, file: pq.ParquetFile, size: int, rows: int | None) -> None:
    """Raise BlockpointError where a file promises other columns or rows, or more than its bytes can hold."""
    promised = file.metadata.num_rows
    if not file.schema_arrow.equals(_arrow_schema(name)):
        raise BlockpointError(f"{named(path)}: its columns are not those of format's table {name!r}")
    if rows is not None and promised != rows:
        raise BlockpointError(f"{named(path)}: holds {promised} rows, but {rows} were sealed")
    groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    most_rows = min(MOST_ROWS, SLACK_ROWS + size)
    if not 0 <= promised <= most_rows or not 0 <= unpacked <= SLACK_BYTES + MOST_UNPACKED * size:
        raise BlockpointError(
            f"{named(path)}: {size} bytes that unpack to {promised} rows of {unpacked} bytes in all "
            "are no table of ours"
        )


def _out_of_range(table: pa.Table) -> str:
    """Return which column holds what none of ours does; empty where none does."""
    for column in table.column_names:
        values = table[column]
        if values.null_count:
            return f"{column} has empty cells"
        low, high = RANGES.get(column, (None, None))
        if low is None or not len(values):
            continue
        held = np.asarray(values.to_numpy())
        if not (held.min() >= low and held.max() <= high):
            return f"{column} is outside {low:g} to {high:g}"
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:120] or type(error).__name__
