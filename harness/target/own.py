"""The user's task as it was asked for, and what a target's processes are told of it."""

import hashlib
import importlib.machinery
import os
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from harness.target.environments import environment_of
from harness.target.overlays import absolute, overlay_of
from results.errors import BlockpointError
from results.inheritance import inherited
from targets.own.arguments import Arguments
from targets.own.places import OURS
from targets.own.resolve import module_of
from targets.settings import Settings

IMPORT_LIMIT_S: Final = 60.0


@dataclass(frozen=True)
class TaskWish:
    """What the options said."""

    name: str
    """`module:callable`, or an entry point's name"""
    args: str = ""
    packages: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    environment: str = ""
    """the folder of a virtual environment"""
    limit_s: float = 60.0

    @classmethod
    def asked(cls, name: str, **given: Any) -> Self:
        """Return the wish with absolute paths; raises BlockpointError for what is not there."""
        folders = tuple(_folder("--task-path", folder) for folder in given.pop("folders"))
        environment = given.pop("environment")
        packages = tuple(absolute(package) for package in given.pop("packages"))
        args = given.pop("args")
        if args:
            args = str(Path(args).resolve())
            Arguments.read(Path(args))
        if environment:
            environment = _folder("--task-env", environment)
        return cls(name, args, packages, folders, environment, **given)

    def settings(self, base: Settings, seed: int) -> Settings:
        """Return what a target's processes are told, whatever their strategy."""
        sites = [str(site) for site in self._sites()]
        joined = [*self.folders, *sites]
        if odd := next((place for place in joined if os.pathsep in place), ""):
            raise BlockpointError(f"{odd} has a {os.pathsep!r} in its name: rename it")
        return replace(
            base,
            own_task=self.name,
            own_args=self.args,
            own_path=os.pathsep.join(joined),
            own_folder=self._working_directory(),
            own_seed=seed,
            own_limit_s=self.limit_s,
        )

    @property
    def args_sha256(self) -> str:
        """Of the file of arguments; empty where there is none."""
        return hashlib.sha256(Path(self.args).read_bytes()).hexdigest() if self.args else ""

    def check(self, strategy: str) -> None:
        """Raise BlockpointError where its virtual environment is of another Python than a strategy's."""
        wanted = _minor(Path(environment_of(strategy).python))
        for site in self._sites():
            if site.parent.name != wanted:
                raise BlockpointError(
                    f"--task-env {self.environment} has {site.parent.name}, and {strategy} runs in {wanted}: "
                    f"ask for --python {site.parent.name.removeprefix('python')}"
                )

    def _sites(self) -> list[Path]:
        if not self.environment:
            return []
        sites = sorted(Path(self.environment).glob("lib/python3*/site-packages"))
        if not sites:
            raise BlockpointError(f"--task-env {self.environment} is no virtual environment")
        return sites

    def _working_directory(self) -> str:
        """Return the working directory where the task's module lies there and no folder is named."""
        top = module_of(self.name).partition(".")[0]
        if self.folders or not top or top in OURS:
            return ""
        here = str(Path.cwd())
        return here if importlib.machinery.PathFinder.find_spec(top, [here]) else ""


def beside(settings: Settings, strategy: str, packages: tuple[str, ...]) -> Settings:
    """Return the settings with the place of the user's packages; raises NoEnvironmentError."""
    if not packages:
        return settings
    places = filter(None, (overlay_of(strategy, packages), settings.own_path))
    return replace(settings, own_path=os.pathsep.join(places))


def look_for(wish: TaskWish, strategy: str) -> str:
    """Import a task in a strategy's environment; returns the digest of its source.

    Raises NoEnvironmentError where its packages cannot be had there, and BlockpointError with the last line
    of the traceback where it cannot be imported.
    """
    wish.check(strategy)
    settings = beside(wish.settings(Settings(), 0), strategy, wish.packages)
    return _look(environment_of(strategy).python, settings)


@cache
def _look(python: str, settings: Settings) -> str:
    try:
        done = subprocess.run(
            [python, "-m", "targets.own"],
            env={**inherited(), **settings.to_environment()},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=IMPORT_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BlockpointError(
            f"--task {settings.own_task}: its import did not end within {IMPORT_LIMIT_S:.0f} s"
        ) from None
    if done.returncode:
        said = done.stderr.strip() or "importing it ended Python"
        raise BlockpointError(f"--task {settings.own_task}: {said.splitlines()[-1]}")
    return done.stdout


def _folder(option: str, given: str) -> str:
    folder = Path(given).expanduser().resolve()
    if not folder.is_dir():
        raise BlockpointError(f"{option} {given} is no folder")
    return str(folder)


def _minor(python: Path) -> str:
    """Return `python3.11`, by the library's folder in the interpreter's environment."""
    found = sorted(python.parents[1].glob("lib/python3*"))
    return found[0].name if found else ""
