"""Where the source lies, if this is run from a checkout and not from an installed package."""

import contextlib
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def checkout(root: Path = ROOT) -> Path | None:
    """Return the folder of the checkout; None where the packages lie among other installed ones."""
    with contextlib.suppress(OSError, ValueError):
        declared = tomllib.loads((root / "pyproject.toml").read_text())
        if declared.get("project", {}).get("name") == "blockpoint":
            return root
    return None
