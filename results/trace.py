"""Reads a trace: when requests came somewhere, once."""

import contextlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from results.errors import BlockpointError

MOST_BYTES: Final = 64 * 2**20
_APART: Final = 1e-9
"""of the mean gap: what lies between arrivals of one moment"""


@cache
def trace_gaps(path: str) -> npt.NDArray[np.float64]:
    """Return the gaps between the arrivals of a file, 1 on average; raises BlockpointError.

    The file holds an offset in seconds, or a moment such as 2026-01-31T12:00:00.5Z, a line or in the first
    column of a CSV, rising or not; its first line may be a heading. Offsets that are equal stay as good as
    equal.
    """
    offsets = np.sort(np.array(_offsets(path), float))
    if len(offsets) < 2 or not offsets[-1] > offsets[0]:
        raise BlockpointError(f"--trace {path}: has fewer than two different arrivals")
    gaps = np.diff(offsets) / (offsets[-1] - offsets[0]) * (len(offsets) - 1)
    return np.asarray(np.maximum(gaps, _APART))


def _offsets(path: str) -> list[float]:
    try:
        with Path(path).open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode("utf-8-sig", "replace")
    except OSError as error:
        raise BlockpointError(f"--trace {path}: cannot be read ({error.strerror})") from None
    if len(text) > MOST_BYTES:
        raise BlockpointError(f"--trace {path}: is larger than {MOST_BYTES // 2**20} MiB")
    lines = text.splitlines()
    found = [(number, _seconds(line)) for number, line in enumerate(lines, start=1) if line.strip()]
    wrong = [number for number, seconds in found if seconds is None]
    if wrong and wrong != [1]:
        number = next(each for each in wrong if each > 1)
        shown = lines[number - 1].strip()[:40]
        raise BlockpointError(f"--trace {path}: line {number} begins with no number of seconds: {shown!r}")
    return [seconds for _, seconds in found if seconds is not None]


def _seconds(line: str) -> float | None:
    """Return the offset that a line begins with; None where there is none."""
    first = line.replace(";", ",").replace("\t", ",").split(",", 1)[0].strip()
    with contextlib.suppress(ValueError):
        return seconds if np.isfinite(seconds := float(first)) else None
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromisoformat(first).timestamp()
    return None
