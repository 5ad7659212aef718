"""Columns of many rows that a leading process gathers: in files without a name, not in its memory."""

import tempfile
from collections.abc import Iterator

import numpy as np

IN_MEMORY_ROWS = 500_000
"""what fewer rows take is no matter"""
STRETCH_ROWS = 500_000
"""handled at a time"""


def column(rows: int, kind: str) -> np.ndarray:
    """Return a column of zeros; of many rows, one whose pages the system may write out and drop at will.

    It is gone with the last reference to it.
    """
    if rows <= IN_MEMORY_ROWS:
        return np.zeros(rows, kind)
    with tempfile.TemporaryFile() as file:
        file.truncate(rows * np.dtype(kind).itemsize)
        return np.memmap(file, kind, "r+", shape=(rows,))


def stretches(rows: int) -> Iterator[slice]:
    """Yield what to handle at a time of so many rows; at least one slice."""
    for begin in range(0, max(rows, 1), STRETCH_ROWS):
        yield slice(begin, begin + STRETCH_ROWS)
