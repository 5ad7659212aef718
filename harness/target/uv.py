"""Runs uv, which makes environments and locks."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from results.errors import BlockpointError

_LONGEST: Final = 400
_NOT_PASSED_ON: Final = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


class NoEnvironmentError(BlockpointError):
    """The libraries of a strategy cannot be had here, or not in the versions asked for."""


def uv(name: str, folder: Path, *words: str | Path) -> None:
    """Run it in a folder where no project stands, without the network where it fails with it.

    Raises NoEnvironmentError, with what it said last, where the environment of `name` cannot be made.
    """
    from uv import find_uv_bin

    folder.mkdir(parents=True, exist_ok=True)
    command = [find_uv_bin(), *map(str, words), "--quiet"]
    said = ""
    for further in ([], ["--offline"]):
        done = subprocess.run(
            [*command, *further], env=_environment(), cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        said = said or done.stderr
    raise NoEnvironmentError(f"the environment of {name} cannot be made: {_reason(said)}")


def _environment() -> dict[str, str]:
    """Return ours without what points to other projects; the index that pip is told of counts for uv."""
    kept = {key: value for key, value in os.environ.items() if key not in _NOT_PASSED_ON}
    if index := os.environ.get("PIP_INDEX_URL"):
        kept.setdefault("UV_DEFAULT_INDEX", index)
    return kept


def _reason(said: str) -> str:
    """Return uv's message in a line, without its drawing."""
    plain = " ".join(re.sub(r"[^\x20-\x7e]", " ", said).split()).removeprefix("error: ")
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}..."
