"""A campaign that was packed for keeping (`results.packing`): few files, the same rows.

NAME/manifest.json       the conditions, as ever
NAME/trials.jsonl.gz     the documents of all sealed trials, one a line, in the order of their names
NAME/*.parquet           each table's rows of all trials, one trial after the other in that order
NAME/SHA256SUMS          of all these
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa

from results.base import SEALED_BESIDE
from results.documents import decoded
from results.errors import BlockpointError
from results.files import read_plain
from results.schema import Trial
from results.sums import check, digest_of
from results.tables import read_table
from results.text import named

TRIALS: Final = "trials.jsonl.gz"
MOST_BYTES: Final = 2**28
MOST_UNPACKED: Final = 100
"""bytes that one byte of it unpacks to; of ours it is 20 at most"""
_GZIP: Final = 16 + zlib.MAX_WBITS


def is_packed(folder: Path) -> bool:
    """Say whether a campaign's folder holds a packed one."""
    return (folder / TRIALS).exists()


@dataclass(frozen=True)
class Packed:
    """The trials of a packed campaign; what is read once is kept."""

    folder: Path

    @cached_property
    def trials(self) -> list[Trial]:
        """Every trial; raises BlockpointError where the file is damaged or a trial stands there twice."""
        path = self.folder / TRIALS
        found = [
            decoded(f"{named(path)}, line {number}", line, Trial)
            for number, line in enumerate(self._lines(path), start=1)
        ]
        if len({(trial.plan.trial_id, trial.attempt) for trial in found}) != len(found):
            raise BlockpointError(f"{named(path)}: damaged or foreign: a trial stands there twice")
        return found

    def _lines(self, path: Path) -> list[bytes]:
        try:
            data = read_plain(path, MOST_BYTES)
            check(path, data, self._digest(TRIALS))
            unpacked = zlib.decompressobj(_GZIP)
            text = unpacked.decompress(data, MOST_UNPACKED * len(data))
            if not unpacked.eof or unpacked.unused_data:
                raise OSError(0, "longer or shorter than it says")
        except (OSError, zlib.error) as error:
            raise BlockpointError(f"{named(path)}: missing, truncated or damaged ({error})") from None
        return text.splitlines()

    def table(self, trial: Trial, name: str) -> pa.Table:
        """Return a trial's rows of a table; raises BlockpointError where the file is not whole."""
        first = self._first.get((trial.plan.trial_id, trial.attempt), {})
        if first.get(name) is None:
            raise BlockpointError(f"trial {trial.plan.trial_id}: sealed without the table {name!r}")
        rows = self._whole(name).slice(first[name], trial.rows[name])
        return pa.table([_own(column) for column in rows.columns], schema=rows.schema)

    def _whole(self, name: str) -> pa.Table:
        if name not in self._read:
            rows = sum(trial.rows.get(name, 0) for trial in self.trials)
            digest = self._digest(f"{name}.parquet")
            self._read[name] = read_table(self.folder, name, rows, digest=digest).combine_chunks()
        return self._read[name]

    @cached_property
    def _read(self) -> dict[str, pa.Table]:
        return {}

    @cached_property
    def _first(self) -> dict[tuple[str, int], Mapping[str, int]]:
        """The number of the first row of each trial's tables."""
        found: dict[tuple[str, int], Mapping[str, int]] = {}
        next_row: dict[str, int] = {}
        for trial in self.trials:
            found[trial.plan.trial_id, trial.attempt] = {name: next_row.get(name, 0) for name in trial.rows}
            next_row |= {name: next_row.get(name, 0) + rows for name, rows in trial.rows.items()}
        return found

    def _digest(self, name: str) -> str | None:
        return digest_of(self.folder / name, SEALED_BESIDE)


def _own(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column that knows no words but its own."""
    if not pa.types.is_dictionary(column.type):
        return column
    return column.cast(column.type.value_type).dictionary_encode().cast(column.type)
