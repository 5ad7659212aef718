"""Where objectives are written: `[objectives]` of blockpoint.toml, or below `[tool.blockpoint]`."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from results.errors import BlockpointError
from results.text import named, single

if TYPE_CHECKING:
    from analysis.verify.objective import Objective

OWN_FILE: Final = "blockpoint.toml"
PROJECT_FILE: Final = "pyproject.toml"
MOST_BYTES: Final = 1_000_000


def read_objectives(given: str) -> "list[Objective]":
    """Return the objectives of the file that is given, else of the one found here; raises BlockpointError."""
    from analysis.verify.objective import parse
    from harness.drills.catalogue import DRILLS

    path = Path(given) if given else _found()
    table = _read(path)
    if path.name == PROJECT_FILE:
        table = _below(_below(table, "tool"), "blockpoint")
    return parse(table.get("objectives"), named(path), list(DRILLS))


def _found() -> Path:
    for name in (OWN_FILE, PROJECT_FILE):
        if Path(name).is_file():
            return Path(name)
    raise BlockpointError(f"no {OWN_FILE} and no {PROJECT_FILE} here; name one with -f FILE")


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BlockpointError(f"{named(path)}: is larger than {MOST_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BlockpointError(f"{named(path)}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BlockpointError(f"{named(path)}: is no TOML ({single(str(error))})") from None


def _below(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}
