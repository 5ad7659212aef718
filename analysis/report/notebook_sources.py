"""The notebooks as they come, kept as text, and one of them set to a campaign."""

import re
from pathlib import Path
from typing import Any, Final, Literal

import jupytext

from results.errors import BlockpointError

Reads = Literal["trials", "drills"]
"""what a notebook is about; a campaign holds the ones or the others"""

SOURCES: Final = Path(__file__).parents[1] / "notebooks"
_CAMPAIGN: Final = re.compile(r'^CAMPAIGN = "[^"]*"', re.MULTILINE)
"""in the first cell of code: what a notebook reads unless it is told"""


def names(reads: Reads | None) -> list[str]:
    """Return the names of the notebooks about trials, or about drills, in their order; none for None."""
    if reads is None:
        return []
    found = {path.stem: jupytext.read(path) for path in sorted(SOURCES.glob("*.py"))}
    return [name for name, notebook in found.items() if notebook.metadata["blockpoint"]["reads"] == reads]


def set_to(campaign_folder: Path, name: str) -> Any:
    """Return a notebook, as nbformat has it, whose first cell of code names that campaign's folder."""
    notebook: Any = jupytext.read(SOURCES / f"{name}.py")
    named = f"CAMPAIGN = {str(campaign_folder.resolve())!r}"
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source, found = _CAMPAIGN.subn(lambda _: named, first.source, count=1)
    if not found:
        raise BlockpointError(f"the notebook {name} does not say in its first cell which CAMPAIGN it reads")
    return notebook
