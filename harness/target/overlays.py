"""The user's packages beside a strategy's own: a folder of them for each environment, made on first use.

They are resolved against what the environment holds, so that its requirements stay as they are; what both
hold is the same version, and the environment's copy is the one that runs.
"""

import shutil
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from harness.target.environments import (
    OWN,
    Environment,
    alone,
    digest_of,
    environment_of,
    environments_folder,
)
from harness.target.uv import uv

_MADE: Final = "blockpoint-made"
_OURSELVES: Final = "blockpoint"
_NO_SOURCE: Final = {".git", ".venv", "venv", "__pycache__", "node_modules"}


@cache
def overlay_of(strategy: str, packages: tuple[str, ...]) -> str:
    """Return the folder that has these packages for a strategy; empty where none are asked for.

    Each is a requirement, or the path of a project or wheel. Raises NoEnvironmentError where they cannot be
    had beside the strategy's own.
    """
    if not packages:
        return ""
    environment = environment_of(strategy)
    constraints = "".join(f"{line}\n" for line in held_by(environment))
    folder = (
        environments_folder() / f"tasks-{digest_of(environment.python, constraints, *map(_state, packages))}"
    )
    with alone(folder.with_name(f"{folder.name}.making")):
        if not (folder / _MADE).exists():
            _make(strategy, environment, folder, packages, constraints)
    return str(folder)


def absolute(package: str) -> str:
    """Return a package as uv finds it from another folder, where it is a path."""
    return str(Path(package).resolve()) if _is_path(package) else package


def held_by(environment: Environment) -> list[str]:
    """Return what an environment holds, as requirements."""
    if environment == OWN:
        found = metadata.distributions()
    else:
        sites = Path(environment.python).parents[1].glob("lib/python3*/site-packages")
        found = metadata.distributions(path=[str(site) for site in sites])
    return sorted({f"{each.name}=={each.version}" for each in found if each.name.lower() != _OURSELVES})


def _make(
    strategy: str, environment: Environment, folder: Path, packages: Sequence[str], constraints: str
) -> None:
    shown = ", ".join(Path(package).name if _is_path(package) else package for package in packages)
    print(f"installing {shown} beside {strategy}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    held = folder / "constraints.txt"
    held.write_text(constraints)
    options = ("--python", environment.python, "--target", folder, "--constraint", held)
    uv(f"{strategy} with {shown}", folder.parent, "pip", "install", *options, *packages)
    (folder / _MADE).touch()


def _is_path(package: str) -> bool:
    return package.startswith((".", "/", "~")) or Path(package).exists()


def _state(package: str) -> str:
    """Return what tells a package from another: of a project's folder, when it was last changed too."""
    if not _is_path(package):
        return package
    files = [path for path in Path(package).rglob("*") if not _NO_SOURCE.intersection(path.parts)]
    return f"{package} {max(path.stat().st_mtime_ns for path in [Path(package), *files])}"
