"""Notebooks kept as text: shown figures, and their execution for a campaign."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import jupytext
import nbformat
from IPython.display import SVG
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from matplotlib.figure import Figure
from nbclient import NotebookClient

from analysis.charts.style import to_svg
from analysis.trials.derive import Derived, read_derived
from results.errors import BlockpointError
from results.inheritance import inherited
from results.store import campaign_folder

CAMPAIGN: Final = "BLOCKPOINT_CAMPAIGN"
SOURCES: Final = Path(__file__).parents[1] / "notebooks"
_PATIENCE_S: Final = 120
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def campaign() -> Derived:
    """Return the tables of the campaign that `$BLOCKPOINT_CAMPAIGN` names; raises BlockpointError."""
    name = os.environ.get(CAMPAIGN)
    if not name:
        raise BlockpointError(f"set {CAMPAIGN} to a campaign's name or folder")
    return read_derived(campaign_folder(name))


def show(figure: Figure) -> SVG:
    """Return a figure as a notebook's output."""
    return SVG(to_svg(figure))  # type: ignore[no-untyped-call]


def execute_notebooks(campaign_folder: Path, target: Path) -> list[str]:
    """Execute every notebook for a campaign into `target`/*.ipynb, side by side, in no folder of others.

    Returns a sentence for each that could not be executed; its file then holds what came before. Raises
    OSError where a file cannot be written.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="blockpoint-kernel-") as scratch:
        environment = inherited() | {
            CAMPAIGN: str(campaign_folder.resolve()),
            "IPYTHONDIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
            "JUPYTER_NO_CONFIG": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        sources = sorted(SOURCES.glob("*.py"))
        executed = asyncio.run(_execute(sources, Path(scratch), environment))
    for source, (notebook, _) in zip(sources, executed, strict=True):
        nbformat.write(notebook, target / f"{source.stem}.ipynb")  # type: ignore[no-untyped-call]
    return [problem for _, problem in executed if problem]


class _ThisPython(KernelSpecManager):  # type: ignore[misc,unused-ignore]
    """Starts kernels with the running interpreter, whatever is installed elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the specification of this interpreter's kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        quiet = ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=command + quiet, display_name=kernel_name, language="python")


Executed = tuple[Any, str]
"""a notebook with its outputs, and why it has not all of them; empty where it has"""


async def _execute(sources: list[Path], scratch: Path, environment: dict[str, str]) -> list[Executed]:
    return await asyncio.gather(*(_run(source, scratch, environment) for source in sources))


async def _run(source: Path, scratch: Path, environment: dict[str, str]) -> Executed:
    notebook: Any = jupytext.read(source)
    manager = AsyncKernelManager(
        kernel_spec_manager=_ThisPython(),
        connection_file=str(scratch / f"{source.stem}.json"),
        transport="ipc",
        ip=str(scratch / source.stem),
    )
    client = NotebookClient(
        notebook, km=manager, timeout=_PATIENCE_S, resources={"metadata": {"path": str(scratch)}}
    )
    try:
        await client.async_execute(env=environment, cleanup_kc=True, stderr=subprocess.DEVNULL)
    except Exception as error:
        lines = _COLOURS.sub("", str(error)).strip().splitlines()
        reason = lines[-1] if lines else type(error).__name__
        return notebook, f"the notebook {source.stem} could not be executed: {reason}"
    return notebook, ""
