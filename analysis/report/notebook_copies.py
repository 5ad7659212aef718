"""Copies of the notebooks for a person to change: brought up to date until they are, then left alone."""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import nbformat

from analysis.report.notebook_sources import set_to
from results.errors import BlockpointError
from results.files import read_plain, write_whole
from results.text import named

_MOST_BYTES: Final = 256 * 2**20
_OURS: Final = "blockpoint"
_DIGEST: Final = "digest"
"""of the cells as they were written, in the notebook's metadata; Jupyter keeps it"""


class Done(StrEnum):
    """What was done with a copy."""

    WRITTEN = "wrote"
    AS_IT_WAS = "is as it was written"
    KEPT = "kept"
    """it was changed since, or never was ours"""


@dataclass(frozen=True)
class Copy:
    """A notebook in the folder of a person's own."""

    path: Path
    done: Done


def write_copy(campaign_folder: Path, name: str, target: Path) -> Copy:
    """Write a notebook that reads a campaign into a folder; raises BlockpointError where that cannot be done.

    One that is there already is replaced only where nobody changed its cells and ours are newer; outputs
    are no change.
    """
    notebook = set_to(campaign_folder, name)
    notebook.metadata[_OURS][_DIGEST] = fresh = _digest(notebook)
    path = target / f"{name}.ipynb"
    if path.exists():
        found = _read(path)
        if not found or _digest(found) != found.metadata.get(_OURS, {}).get(_DIGEST):
            return Copy(path, Done.KEPT)
        if _digest(found) == fresh:
            return Copy(path, Done.AS_IT_WAS)
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise BlockpointError(f"{named(target)}: cannot be made ({error.strerror})") from None
    write_whole(path, nbformat.writes(notebook).encode())  # type: ignore[no-untyped-call]
    return Copy(path, Done.WRITTEN)


def _read(path: Path) -> Any:
    """Return the notebook of a file, None where there is none."""
    with contextlib.suppress(Exception):  # nbformat fails in any way on what is no notebook
        return nbformat.reads(read_plain(path, _MOST_BYTES).decode(), as_version=4)  # type: ignore[no-untyped-call]
    return None


def _digest(notebook: Any) -> str:
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()
