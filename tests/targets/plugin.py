"""A throw-away package that registers strategies, as another project's would."""

import re
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

from results.store import Campaign, open_campaign

HEAD = """
from fastapi import BackgroundTasks

from results.schema import Service
from results.terms import KINDS
from targets.settings import Settings
from targets.strategies.inline import Inline
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
"""


def write_plugin(folder: Path, name: str, body: str, *, value: str = "", head: str = HEAD) -> Path:
    """Write the module NAME_plugin and its distribution, which registers NAME; returns the folder."""
    module = f"{name.replace('-', '_')}_plugin"
    (folder / f"{module}.py").write_text(head + textwrap.dedent(body))
    distribution = f"{folder.name}_{module}"
    info = folder / f"{distribution}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[blockpoint.strategies]\n{name} = {value or f'{module}:definition'}\n"
    )
    return folder


def blocks(page: Path, language: str) -> list[str]:
    """Return what a page shows in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def fresh_python(folder: Path) -> tuple[Path, Path]:
    """Make an environment that has ours; returns its Python and where its packages go."""
    venv.create(folder / "venv", symlinks=True)
    made = folder / "venv" / "bin" / "python"
    asked = [str(made), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return made, packages


def measured(python: Path, runs: Path, strategy: str, *asked: str) -> tuple[Campaign, str]:
    """Measure a strategy by the smoke profile; returns the campaign `mine`, and what was said on the way."""
    command = [python, "-P", "-m", "harness", "run", "--profile", "smoke", "--strategy", strategy]
    quiet = ["--max-foreign-cores", "1024", "--quiet-wait", "0", "--no-report"]
    done = subprocess.run(
        [*command, "--name", "mine", "--seconds", "2", *quiet, *asked],
        env={"BLOCKPOINT_RUNS": str(runs)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return open_campaign(runs / "mine"), done.stderr


def pip_install(source: Path, packages: Path) -> None:
    """Install a project without asking an index."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, "--target", str(packages), str(source)], check=True)
