"""Tables on disk: parquet with page checksums, exactly the columns that the schema names."""

import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from results.columns import LEDGER_RECORD, TABLES
from results.errors import BlockpointError

Columns = Mapping[str, np.ndarray]

_UNWRITTEN = bytes(4096 * LEDGER_RECORD.itemsize)


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
    BlockpointError where the file cannot be written (a full disk).
    """
    schema = _arrow_schema(name)
    if set(columns) != set(schema.names):
        raise ValueError(f"{name}: columns {sorted(columns)} instead of {sorted(schema.names)}")
    table = pa.table([pa.array(columns[f.name]).cast(f.type) for f in schema], schema=schema)
    path = folder / f"{name}.parquet"
    try:
        pq.write_table(table, path, compression="zstd", compression_level=1, write_page_checksum=True)
    except OSError as error:
        raise BlockpointError(f"{path}: cannot be written ({_reason(error)})") from None
    return int(table.num_rows)


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            crc = zlib.crc32(part, crc)
    return crc


def read_table(folder: Path, name: str, rows: int | None = None, crc: int | None = None) -> pa.Table:
    """Read `folder/name.parquet`; raises BlockpointError unless it is whole and as the schema says.

    `rows` is the number of rows that were sealed, `crc` the checksum of the file: parquet's own
    checksums leave out the headers of its pages, where one flipped bit changes strings unnoticed.
    """
    path = folder / f"{name}.parquet"
    try:
        if crc is not None and checksum(path) != crc:
            raise BlockpointError(f"{path}: damaged: not the bytes that were sealed")
        table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise BlockpointError(f"{path}: missing, truncated or damaged ({_reason(error)})") from None
    if not table.schema.equals(_arrow_schema(name)):
        raise BlockpointError(f"{path}: its columns are not those of format's table {name!r}")
    if rows is not None and table.num_rows != rows:
        raise BlockpointError(f"{path}: holds {table.num_rows} rows, but {rows} were sealed")
    return table


def ledger_slots(path: Path, offset: int = 0) -> np.ndarray:
    """Return the whole slots of a ledger file from byte `offset` on, as an array of `LEDGER_RECORD`.

    The file grows by zeros ahead of its records; a slot whose moment is 0 is not written, or not yet. What
    follows 4,096 empty slots is not read: a process has no more threads than that has slots.
    """
    parts = []
    with path.open("rb") as file:
        file.seek(offset)
        while part := file.read(len(_UNWRITTEN)):
            parts.append(part)
            if part == _UNWRITTEN[: len(part)]:
                break
    data = b"".join(parts)
    whole = len(data) - len(data) % LEDGER_RECORD.itemsize
    return np.frombuffer(data[:whole], dtype=LEDGER_RECORD)


def read_ledger(path: Path, offset: int = 0) -> np.ndarray:
    """Return the records of a ledger file from byte `offset` on, as an array of `LEDGER_RECORD`."""
    slots = ledger_slots(path, offset)
    return np.compress(slots["moment"] != 0, slots)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return " ".join(str(error).split())[:120] or type(error).__name__
