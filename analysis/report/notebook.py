"""The notebooks executed for a campaign, for its report."""

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from analysis.report.notebook_sources import Reads, names, set_to
from results.inheritance import inherited

_PATIENCE_S: Final = 120
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def execute_notebooks(campaign_folder: Path, target: Path, reads: Reads) -> list[str]:
    """Execute what is to be read of a campaign into `target`/*.ipynb, side by side, in no folder of others.

    Returns a sentence for each that could not be executed; its file then holds what came before. Raises
    OSError where a file cannot be written.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="blockpoint-kernel-") as scratch:
        environment = inherited() | {
            "IPYTHONDIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
            "JUPYTER_NO_CONFIG": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        notebooks = {name: set_to(campaign_folder, name) for name in names(reads)}
        executed = asyncio.run(_execute(notebooks, Path(scratch), environment))
    for name, (notebook, _) in executed.items():
        nbformat.write(notebook, target / f"{name}.ipynb")  # type: ignore[no-untyped-call]
    return [problem for _, problem in executed.values() if problem]


class _ThisPython(KernelSpecManager):  # type: ignore[misc,unused-ignore]
    """Starts kernels with the running interpreter, whatever is installed elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the specification of this interpreter's kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        quiet = ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=command + quiet, display_name=kernel_name, language="python")


Executed = tuple[Any, str]
"""a notebook with its outputs, and why it has not all of them; empty where it has"""


async def _execute(
    notebooks: dict[str, Any], scratch: Path, environment: dict[str, str]
) -> dict[str, Executed]:
    done = await asyncio.gather(*(_run(name, each, scratch, environment) for name, each in notebooks.items()))
    return dict(zip(notebooks, done, strict=True))


async def _run(name: str, notebook: Any, scratch: Path, environment: dict[str, str]) -> Executed:
    manager = AsyncKernelManager(
        kernel_spec_manager=_ThisPython(),
        connection_file=str(scratch / f"{name}.json"),
        transport="ipc",
        ip=str(scratch / name),
    )
    client = NotebookClient(
        notebook, km=manager, timeout=_PATIENCE_S, resources={"metadata": {"path": str(scratch)}}
    )
    try:
        await client.async_execute(env=environment, cleanup_kc=True, stderr=subprocess.DEVNULL)
    except Exception as error:
        lines = _COLOURS.sub("", str(error)).strip().splitlines()
        reason = lines[-1] if lines else type(error).__name__
        return notebook, f"the notebook {name} could not be executed: {reason}"
    return notebook, ""
