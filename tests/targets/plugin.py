"""A throw-away package that registers strategies, as another project's would."""

import textwrap
from pathlib import Path

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
