"""Text from elsewhere, made fit to be shown."""

import re
from pathlib import Path
from typing import Final

_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]"
)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")


def masked(text: str) -> str:
    """Return the text with user and password taken out of every URL in it: `redis://***@host`."""
    return _CREDENTIALS.sub("***@", text)


def visible(text: str) -> str:
    r"""Return the text with every control character written out (`\x1b`), but for tabs and line ends.

    A terminal then obeys no sequence that came with a name, and no mark turns the reading direction.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def single(text: str) -> str:
    r"""Return the text in one line: line ends and tabs are written out (`\n`), too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def named(path: Path) -> str:
    """Return a path in one line, whatever is in its name."""
    return single(str(path))
