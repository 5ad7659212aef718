"""Files that a command was asked to write."""

from pathlib import Path

from results.errors import BlockpointError
from results.text import named


def write_text(path: Path, text: str) -> str:
    """Write a file, in place of an older one; return its name. Raises BlockpointError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BlockpointError(f"{named(path)}: cannot be written ({error.strerror})") from None
    return named(path)
