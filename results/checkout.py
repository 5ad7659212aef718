"""Where the source lies, if this is run from a checkout and not from an installed package."""

import contextlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def checkout(root: Path = ROOT) -> Path | None:
    """Return the folder of the checkout; None where the packages lie among other installed ones."""
    with contextlib.suppress(OSError, ValueError):
        if '\nname = "blockpoint"\n' in (root / "pyproject.toml").read_text():
            return root
    return None
