"""Reads what a process wrote of its tasks' moments, while it writes or after it was killed."""

from pathlib import Path

import numpy as np

from results.columns import LEDGER_RECORD

_UNWRITTEN = bytes(4096 * LEDGER_RECORD.itemsize)


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
