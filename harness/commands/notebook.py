"""The command `notebook`: a campaign's questions in pandas, in copies that are the user's to change."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from results.errors import BlockpointError
from results.store import campaign_folder, open_campaign
from results.text import named

FOLDER: Final = "notebooks"
_JUPYTERS: Final = ("jupyterlab", "notebook")
"""modules that open a notebook, the preferred one first"""


def notebook(campaign: str, name: str, say: Callable[[str], None], *, opened: bool) -> bool:
    """Write a campaign's notebooks, or the one that is named, and let Jupyter open the first.

    Jupyter takes over this process: that it comes back says that nothing was to be opened, or, by False,
    that Jupyter is not installed. Raises BlockpointError.
    """
    (first, *_) = write(campaign_folder(campaign), name, say)
    if opened and (command := _jupyter(first)):
        sys.stdout.flush()
        os.execv(command[0], command)
    if opened:
        say(f"to open them: {sys.executable} -m pip install jupyterlab, then this command again")
    return not opened


def write(folder: Path, name: str, say: Callable[[str], None]) -> list[Path]:
    """Write copies into a campaign's folder of notebooks, say what became of each, and return them."""
    from analysis.report.notebook_copies import Done, write_copy

    remarks = {
        Done.WRITTEN: "wrote {}",
        Done.AS_IT_WAS: "{} is as it was written",
        Done.KEPT: "kept {}, which was changed: move it away for a fresh one",
    }
    copies = [write_copy(folder, each, folder / FOLDER) for each in _wanted(folder, name)]
    for copy in copies:
        say(remarks[copy.done].format(named(copy.path)))
    return [copy.path for copy in copies]


def _wanted(folder: Path, name: str) -> list[str]:
    from analysis.report.notebook_sources import names

    drills = any(plan.drill for plan in open_campaign(folder).manifest.plans)
    here, elsewhere = names("drills" if drills else "trials"), names("trials" if drills else "drills")
    if name in elsewhere:
        what = "trials at fixed rates" if drills else "drills"
        raise BlockpointError(
            f"{name} reads {what}, of which {named(folder)} has none; it has {', '.join(here)}"
        )
    if name and name not in here:
        raise BlockpointError(
            f"there is no notebook {name!r}; there are {', '.join(sorted(here + elsewhere))}"
        )
    return [name] if name else here


def _jupyter(path: Path) -> list[str]:
    """Return the command that opens a notebook with this interpreter; empty where nothing is installed."""
    for module in _JUPYTERS:
        if importlib.util.find_spec(module):
            return [sys.executable, "-P", "-m", module, str(path)]
    return []
