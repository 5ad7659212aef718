"""Text from elsewhere, made fit to be shown."""

import re
from pathlib import Path
from typing import Final

_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]"
)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")
_OF_A_BROKER: Final = re.compile(r"(?:rediss?|unix|socket)://\S*")
_IN_A_BROKERS: Final = re.compile(r"(?<=://)\S*@")
_OPTION: Final = re.compile(r"(?<=[?&])(?!(?:db|virtual_host|ssl_(?!password)\w+)=)([^=&\s]*)=[^&\s]*")


def masked(text: str) -> str:
    """Return the text with user and password taken out of every URL in it: `redis://***@host`.

    A broker's password may hold a raw slash or stand in an option, of which only harmless ones are left.
    """
    return _OF_A_BROKER.sub(_masked, _CREDENTIALS.sub("***@", text))


def _masked(url: re.Match[str]) -> str:
    return _OPTION.sub(r"\1=***", _IN_A_BROKERS.sub("***@", url[0]))


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
